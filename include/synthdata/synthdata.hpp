// synthdata/synthdata.hpp: the whole library.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data.hpp>
#include <synthdata/gan.hpp>
#include <synthdata/metrics/attack_result.hpp>
#include <synthdata/metrics/classifier_score.hpp>
#include <synthdata/metrics/closest_records.hpp>
#include <synthdata/metrics/column_scores.hpp>
#include <synthdata/metrics/frechet.hpp>
#include <synthdata/metrics/image_report.hpp>
#include <synthdata/metrics/neighbours.hpp>
#include <synthdata/metrics/pair_scores.hpp>
#include <synthdata/metrics/quality_report.hpp>
#include <synthdata/metrics/record_attacks.hpp>
#include <synthdata/metrics/singling_out.hpp>
#include <synthdata/metrics/table_report.hpp>
