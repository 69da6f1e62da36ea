// tests/fuzz/wav_fuzz.cpp: any bytes are either sound, which comes back from 16 bits if it has no more, or a DataError.
//
// The first byte chooses integers or floats, the rest is the file. Run by scripts/fuzz.
//
// SPDX-License-Identifier: MIT
#include <synthdata/io/wav.hpp>

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace synthdata;
  if (size == 0) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    const Audio audio = decode_wav(bytes, {.as_integers = (data[0] & 1) != 0});
    if (audio.samples.size() > static_cast<std::int64_t>(size)) std::abort();
    if (audio.floats || audio.bits > 16 || audio.samples.shape(1) > 1000) return 0;
    const std::string written = encode_wav(audio.samples, audio.sample_rate);
    if (!same_bits(decode_wav(written, {.as_integers = (data[0] & 1) != 0}).samples, audio.samples)) std::abort();
  } catch (const DataError&) {
  }
  return 0;
}
