// synthdata/data/table_stream.hpp: tables that come and go piece by piece, larger than memory.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/core/owned.hpp>
#include <synthdata/data/table.hpp>

#include <concepts>
#include <functional>
#include <optional>

namespace synthdata {

/// `std::optional<Table> next()`, none after the last piece, and `const Schema& schema() const`, that of all pieces:
/// CsvReader and its like. Pieces one below the other are the whole table.
template <class R>
concept TableReader = std::move_constructible<R> && requires(R& reader, const R& same) {
  { reader.next() } -> std::same_as<std::optional<Table>>;
  { same.schema() } -> std::same_as<const Schema&>;
};

/// `void write(const Table&)`, pieces of one schema, and `void commit()`, before which nothing is there: CsvWriter and
/// its like.
template <class W>
concept TableWriter = requires(W& writer, const Table& piece) {
  writer.write(piece);
  writer.commit();
};

/// Any TableReader.
class AnyTableReader {
 public:
  template <class R>  // in this order: whether it is a TableReader asks about this constructor
    requires(!std::same_as<R, AnyTableReader>) && TableReader<R>
  explicit AnyTableReader(R reader) : held_(new Held<R>(std::move(reader))) {}
  AnyTableReader(AnyTableReader&&) noexcept = default;
  AnyTableReader& operator=(AnyTableReader&&) noexcept = default;

  std::optional<Table> next() { return held_->next(); }
  const Schema& schema() const { return held_->schema(); }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual std::optional<Table> next() = 0;
    virtual const Schema& schema() const = 0;
    Base* clone() const;  // never: readers are not copied
  };
  template <class R>
  struct Held final : Base {
    explicit Held(R held) : reader(std::move(held)) {}
    std::optional<Table> next() override { return reader.next(); }
    const Schema& schema() const override { return reader.schema(); }
    R reader;
  };
  detail::Owned<Base> held_;
};

/// A table that can be read again and again: opens a stream of it at its beginning, the same rows each time.
class TableSource {
 public:
  /// @param open  returns a TableReader: [] { return CsvReader("big.csv"); }
  template <class Open>
    requires(!std::same_as<Open, TableSource>) && TableReader<std::invoke_result_t<Open&>>
  TableSource(Open open)  // NOLINT: a function that opens a stream is a source
      : open_([open = std::move(open)]() mutable { return AnyTableReader(open()); }) {}

  AnyTableReader open() const { return open_(); }

 private:
  std::function<AnyTableReader()> open_;
};

/// Any TableWriter, made in place: AnyTableWriter(std::in_place_type<CsvWriter>, "copy.csv").
class AnyTableWriter {
 public:
  template <TableWriter W, class... Arguments>
  explicit AnyTableWriter(std::in_place_type_t<W>, Arguments&&... arguments)
      : held_(new Held<W>(std::forward<Arguments>(arguments)...)) {}
  AnyTableWriter(AnyTableWriter&&) noexcept = default;
  AnyTableWriter& operator=(AnyTableWriter&&) noexcept = default;

  void write(const Table& piece) { held_->write(piece); }
  void commit() { held_->commit(); }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual void write(const Table& piece) = 0;
    virtual void commit() = 0;
    Base* clone() const;  // never: writers are not copied
  };
  template <class W>
  struct Held final : Base {
    template <class... Arguments>
    explicit Held(Arguments&&... arguments) : writer(std::forward<Arguments>(arguments)...) {}
    void write(const Table& piece) override { writer.write(piece); }
    void commit() override { writer.commit(); }
    W writer;
  };
  detail::Owned<Base> held_;
};

/// A table of this schema without rows.
Table empty_table(const Schema& schema);

namespace detail {
/// The pieces one below the other; empty_table(schema) if there are none. Copies each value about log2(pieces) times.
Table join_pieces(std::vector<Table> pieces, const Schema& schema);

/// Pieces of as many rows as are asked for from tables of any length.
struct Rechunked {
  /// @param more  gives the next table as an optional
  template <class F>
  std::optional<Table> next(std::int64_t rows, F&& more) {
    while (!ended && pending.size() < rows) {
      std::optional<Table> table = more();
      ended = !table;
      if (table) pending = pending.size() == 0 ? std::move(*table) : pending.append(*table);
    }
    if (pending.size() == 0) return {};
    const std::int64_t count = pending.size() < rows ? pending.size() : rows;
    Table piece = pending.rows(0, count);
    pending = pending.rows(count, pending.size());
    return piece;
  }
  Table pending;
  bool ended = false;
};
}  // namespace detail

/// All that is left of a stream, as one table; an empty one of its schema where nothing is.
template <TableReader R>
Table read_all(R& reader) {
  std::vector<Table> pieces;
  while (auto piece = reader.next()) pieces.push_back(std::move(*piece));
  return detail::join_pieces(std::move(pieces), reader.schema());
}

/// Copies what is left of a stream and commits; returns the number of rows.
template <TableReader R, TableWriter W>
std::int64_t copy_table(R& reader, W& writer) {
  std::int64_t rows = 0;
  while (const auto piece = reader.next()) {
    writer.write(*piece);
    rows += piece->size();
  }
  writer.commit();
  return rows;
}

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/table_stream_impl.hpp>
#endif
