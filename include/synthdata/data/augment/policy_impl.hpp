// synthdata/data/augment/policy_impl.hpp: bodies of data/augment/policy.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/augment/audio.hpp>
#include <synthdata/data/augment/color.hpp>
#include <synthdata/data/augment/filter.hpp>
#include <synthdata/data/augment/geometry.hpp>
#include <synthdata/data/augment/policy.hpp>
#include <synthdata/data/augment/series.hpp>
#include <synthdata/data/augment/text.hpp>
#include <synthdata/io/file.hpp>

namespace synthdata {

SYNTHDATA_INLINE Tensor random::Sequence::operator()(Tensor sample, Rng& rng) const {
  for (const AugmentationStep& step : steps) {
    if (rng.uniform() < step.probability) sample = step.augmentation(std::move(sample), rng);
  }
  return sample;
}

SYNTHDATA_INLINE Tensor random::Choice::operator()(Tensor sample, Rng& rng) const {
  double total = 0.0;
  for (const AugmentationStep& step : of) total += double{step.probability};
  for (std::int64_t i = 0; i < count && total > 0.0; ++i) {
    double left = total * double{rng.uniform()};
    std::size_t chosen = 0;
    while (chosen + 1 < of.size() && left >= double{of[chosen].probability}) left -= double{of[chosen++].probability};
    sample = of[chosen].augmentation(std::move(sample), rng);
  }
  return sample;
}

SYNTHDATA_INLINE Tensor random::RandAugment::operator()(Tensor image, Rng& rng) const {
  const float m = magnitude;
  const auto about = [](float middle, float spread) { return ValueRange{middle - spread, middle + spread}; };
  const auto moved = [&](const Affine& change) { return change(image, rng); };
  const Affine still{
      .degrees = {0, 0}, .scale = {1, 1}, .shift_x = {0, 0}, .shift_y = {0, 0}, .fill = fill, .range = range};
  Affine change = still;
  for (std::int64_t i = 0; i < count; ++i) {
    change = still;
    switch (rng.below(13)) {
      case 0:
        break;
      case 1:
        image = AutoContrast{range}(image, rng);
        break;
      case 2:
        change.degrees = about(0, 30 * m);
        image = moved(change);
        break;
      case 3:
        image = Solarize{{1.0f - m, 1.004f}, range}(image, rng);  // above 1: nothing is inverted
        break;
      case 4:
        image = Saturation{about(1, 0.9f * m), range}(image, rng);
        break;
      case 5:
        image = Posterize{8 - static_cast<std::int64_t>(4 * m + 0.5f), range}(image, rng);
        break;
      case 6:
        image = Contrast{about(1, 0.9f * m), range}(image, rng);
        break;
      case 7:
        image = Brightness{about(0, 0.5f * m), range}(image, rng);
        break;
      case 8:
        image = Sharpness{about(1, 0.9f * m), range}(image, rng);
        break;
      case 9:
        change.shear = about(0, 17 * m);
        image = moved(change);
        break;
      case 10:
        change.scale = about(1, 0.3f * m);
        image = moved(change);
        break;
      case 11:
        change.shift_x = about(0, 0.45f * m);
        image = moved(change);
        break;
      default:
        change.shift_y = about(0, 0.45f * m);
        image = moved(change);
    }
  }
  return image;
}

namespace random {
template <class... A>
void add_kinds(AugmentationKinds& kinds) {
  (kinds.add<A>(), ...);
}
inline void add_built_in(AugmentationKinds& kinds) {
  add_kinds<Sequence, Choice, RandAugment>(kinds);
  add_kinds<Flip, Crop, ResizedCrop, Resize, Affine, Rotate, Perspective, Elastic>(kinds);
  add_kinds<Brightness, Contrast, Saturation, Hue, Gamma, Invert, Solarize, Posterize, AutoContrast>(kinds);
  add_kinds<Blur, Sharpness, Noise, Cutout>(kinds);
  add_kinds<Jitter, SeriesScale, MagnitudeWarp, TimeWarp, Window>(kinds);
  add_kinds<TimeShift, TimeStretch, PitchShift, Gain, AudioNoise, TimeMask, FrequencyMask>(kinds);
  add_kinds<SwapWords, DeleteWords, InsertWords, ReplaceWords>(kinds);
}
}  // namespace random

SYNTHDATA_INLINE AugmentationKinds built_in_augmentations() {
  AugmentationKinds kinds;
  random::add_built_in(kinds);
  return kinds;
}

SYNTHDATA_INLINE void save_augmentation(const std::string& path, const Augmentation& augmentation) {
  write_file(path, augmentation.to_json().dump() + "\n");
}

SYNTHDATA_INLINE Augmentation load_augmentation(const std::string& path, const AugmentationKinds& kinds) {
  const Json json = parse_json(read_file(path, std::int64_t{1} << 26), {.source = path});
  try {
    return kinds.read(json);
  } catch (const DataError& error) {
    throw DataError(concat(path, ": ", error.what()));
  }
}

}  // namespace synthdata
