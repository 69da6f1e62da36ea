// synthdata/tabular.hpp: models of tables, and the data layer that reads and writes them.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data.hpp>
#include <synthdata/tabular/any_tabular_model.hpp>
#include <synthdata/tabular/cell_value.hpp>
#include <synthdata/tabular/column_codes.hpp>
#include <synthdata/tabular/condition.hpp>
#include <synthdata/tabular/ctgan.hpp>
#include <synthdata/tabular/encoded_rows.hpp>
#include <synthdata/tabular/gaussian_copula.hpp>
#include <synthdata/tabular/made_texts.hpp>
#include <synthdata/tabular/model_file.hpp>
#include <synthdata/tabular/packed_codes.hpp>
#include <synthdata/tabular/rule_columns.hpp>
#include <synthdata/tabular/rules.hpp>
#include <synthdata/tabular/sample_reader.hpp>
#include <synthdata/tabular/smote.hpp>
#include <synthdata/tabular/table_transform.hpp>
#include <synthdata/tabular/tabular_ar.hpp>
#include <synthdata/tabular/training.hpp>
#include <synthdata/tabular/tvae.hpp>
#include <synthdata/tabular/value_counts.hpp>
#include <synthdata/version.hpp>
