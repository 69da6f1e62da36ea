// synthdata/data.hpp: everything of the data layer: tables, data sets, and how batches are drawn from them.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/config.hpp>
#include <synthdata/data/adaptors.hpp>
#include <synthdata/data/augment/audio.hpp>
#include <synthdata/data/augment/color.hpp>
#include <synthdata/data/augment/filter.hpp>
#include <synthdata/data/augment/geometry.hpp>
#include <synthdata/data/augment/mix.hpp>
#include <synthdata/data/augment/policy.hpp>
#include <synthdata/data/augment/series.hpp>
#include <synthdata/data/augment/text.hpp>
#include <synthdata/data/cells.hpp>
#include <synthdata/data/cifar.hpp>
#include <synthdata/data/csv.hpp>
#include <synthdata/data/csv_columns.hpp>
#include <synthdata/data/csv_options.hpp>
#include <synthdata/data/csv_scan.hpp>
#include <synthdata/data/dataset.hpp>
#include <synthdata/data/digits.hpp>
#include <synthdata/data/html.hpp>
#include <synthdata/data/image_folder.hpp>
#include <synthdata/data/in_memory.hpp>
#include <synthdata/data/loader.hpp>
#include <synthdata/data/number.hpp>
#include <synthdata/data/schema.hpp>
#include <synthdata/data/table.hpp>
#include <synthdata/data/table_stream.hpp>
#include <synthdata/data/toy.hpp>
#include <synthdata/version.hpp>
