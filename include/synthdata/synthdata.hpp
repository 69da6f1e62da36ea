// synthdata/synthdata.hpp: the whole library.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data.hpp>
#include <synthdata/gan.hpp>
#include <synthdata/metrics/alpha_precision.hpp>
#include <synthdata/metrics/attack_result.hpp>
#include <synthdata/metrics/classifier_score.hpp>
#include <synthdata/metrics/classify/ada_boost.hpp>
#include <synthdata/metrics/classify/class_scores.hpp>
#include <synthdata/metrics/classify/classifier.hpp>
#include <synthdata/metrics/classify/decision_tree.hpp>
#include <synthdata/metrics/classify/feature_encoder.hpp>
#include <synthdata/metrics/classify/gradient_boosting.hpp>
#include <synthdata/metrics/classify/logistic_regression.hpp>
#include <synthdata/metrics/classify/mlp_classifier.hpp>
#include <synthdata/metrics/closest_records.hpp>
#include <synthdata/metrics/column_scores.hpp>
#include <synthdata/metrics/detection.hpp>
#include <synthdata/metrics/frechet.hpp>
#include <synthdata/metrics/image_report.hpp>
#include <synthdata/metrics/joint_codes.hpp>
#include <synthdata/metrics/likelihood.hpp>
#include <synthdata/metrics/neighbours.hpp>
#include <synthdata/metrics/pair_scores.hpp>
#include <synthdata/metrics/quality_report.hpp>
#include <synthdata/metrics/record_attacks.hpp>
#include <synthdata/metrics/singling_out.hpp>
#include <synthdata/metrics/table_report.hpp>
#include <synthdata/metrics/usefulness.hpp>
#include <synthdata/tabular.hpp>
