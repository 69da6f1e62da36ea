// tests/consumers/databases.cpp: a program that links synthdata::sql.
//
// SPDX-License-Identifier: MIT
#include <synthdata/data/database.hpp>

namespace sd = synthdata;

int main() {
  const sd::Table table({sd::Column::texts("a", std::vector<std::string>{"x y", "z"})});
  const sd::Database database("sqlite::memory:");
  database.write("t", table);
  return database.read_table("t") == table ? 0 : 1;
}
