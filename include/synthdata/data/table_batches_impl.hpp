// synthdata/data/table_batches_impl.hpp: bodies of data/table_batches.hpp.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/table_batches.hpp>

#include <algorithm>

namespace synthdata {
namespace detail {

SYNTHDATA_INLINE void check_no_missing(const Column& column, const char* what) {
  if (!column.parts().missing.defined()) return;
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (column.is_missing(row)) {
      throw DataError(concat("column ", in_quotes(column.name()), ": the ", what, " of row ", row,
                             " is missing; fill it or drop the row first"));
    }
  }
}

SYNTHDATA_INLINE Tensor labels_of(const Column& column) {
  if (column.type() != ColumnType::categorical && column.type() != ColumnType::boolean &&
      column.type() != ColumnType::integer) {
    throw DTypeError(concat("column ", in_quotes(column.name()),
                            ": expects classes, categorical, boolean or integer, is ", column.type()));
  }
  check_no_missing(column, "label");
  Tensor labels = Tensor::empty({column.size()}, DType::i64, Device::cpu());
  for (std::int64_t row = 0; row < column.size(); ++row) {
    const std::int64_t label = column.type() == ColumnType::categorical ? column.code(row)
                               : column.type() == ColumnType::boolean   ? column.boolean(row)
                                                                        : column.integer(row);
    if (label < 0) {
      throw DataError(
          concat("column ", in_quotes(column.name()), ": expects a label >= 0, that of row ", row, " is ", label));
    }
    labels.data<std::int64_t>()[row] = label;
  }
  return labels;
}

}  // namespace detail

SYNTHDATA_INLINE Batch encode_rows(const Table& table, const TableSamples& samples) {
  Batch batch;
  if (!samples.label.empty()) batch.labels = detail::labels_of(table[samples.label]);
  if (samples.encode) {
    batch.data = samples.encode(table);
    if (!batch.data.defined() || batch.data.dtype() != DType::f32 || !batch.data.device().is_cpu()) {
      throw DTypeError(concat("encode: expects f32 on the CPU, got ", batch.data.str()));
    }
    if (batch.data.rank() == 0 || batch.data.shape(0) != table.size()) {
      throw ShapeError(concat("encode: expects [", table.size(), ", ...] for so many rows, got ", batch.data.str()));
    }
    return batch;
  }
  const Table data = !samples.columns.empty() ? table.select(samples.columns)
                     : samples.label.empty()  ? table
                                              : table.without({samples.label});
  for (const Column& column : data.columns()) detail::check_no_missing(column, "value");
  batch.data = data.to_tensor();
  return batch;
}

SYNTHDATA_INLINE TensorDataset table_dataset(const Table& table, const TableSamples& samples) {
  Batch all = encode_rows(table, samples);
  return TensorDataset(std::move(all.data), std::move(all.labels));
}

struct TableBatches::Impl {
  Impl(TableSource given_source, TableSamples s, const TableBatchesOptions& given)
      : source(std::move(given_source)), samples(std::move(s)), options(given) {
    if (options.batch_size < 1 || options.shuffle_rows < 0) {
      throw DataError(concat("TableBatches: expects batch_size >= 1 and shuffle_rows >= 0, got ", options.batch_size,
                             " and ", options.shuffle_rows));
    }
    if (options.ranks < 1 || options.rank < 0 || options.rank >= options.ranks) {
      throw DataError(
          concat("TableBatches: expects 0 <= rank < ranks, got rank ", options.rank, " of ", options.ranks));
    }
    state.seed = options.seed;
  }

  /// Rows of a window. Without shuffling any number gives the same batches.
  std::int64_t window_size() const { return options.shuffle_rows > 0 ? options.shuffle_rows : 8192; }

  void close() {
    reader.reset();
    piece = rest = Table();
    piece_at = window_rows = at = window_number = 0;
  }

  /// Sees to it that `piece` has unread rows, all of this rank; false at the end of the stream.
  bool read_piece() {
    while (piece_at == piece.size()) {
      std::optional<Table> next = reader->next();
      if (!next) return false;
      piece = std::move(*next);
      piece_at = 0;
      if (options.ranks > 1) {  // only whole rounds, so that all ranks have equally many
        if (rest.size() > 0) piece = rest.append(piece);
        const std::int64_t whole = piece.size() / options.ranks * options.ranks;
        rest = piece.rows(whole, piece.size());
        std::vector<std::int64_t> own;
        for (std::int64_t row = options.rank; row < whole; row += options.ranks) own.push_back(row);
        piece = piece.take(own);
      }
    }
    return true;
  }

  void skip(std::int64_t rows) {
    for (std::int64_t left = rows; left > 0;) {
      if (!read_piece()) {
        throw DataError(concat("TableBatches: position ", state.position, " does not exist, the stream ends after ",
                               rows - left, " rows"));
      }
      const std::int64_t count = std::min(left, piece.size() - piece_at);
      piece_at += count;
      left -= count;
    }
  }

  /// Fills the window with the next rows; false at the end of the stream.
  bool fill() {
    window_rows = at = 0;
    const std::int64_t size = window_size();
    while (window_rows < size && read_piece()) {
      const std::int64_t count = std::min(size - window_rows, piece.size() - piece_at);
      const Batch rows = encode_rows(piece.rows(piece_at, piece_at + count), samples);
      const Shape shape = rows.data.shape().with(0, size);
      if (!window.data.defined()) {
        window.data = Tensor::empty(shape, DType::f32, Device::cpu());
        if (rows.labels.defined()) window.labels = Tensor::empty({size}, DType::i64, Device::cpu());
      } else if (!(window.data.shape() == shape)) {
        throw DataError(concat("TableBatches: all rows must become samples of one shape, ",
                               window.data.shape().erase(0), "; later ones became ", shape.erase(0)));
      }
      const std::int64_t width = window.data.size() / size;
      if (width > 0) {
        std::memcpy(window.data.data<float>() + window_rows * width, rows.data.data<float>(),
                    static_cast<std::size_t>(rows.data.size_bytes()));
      }
      if (rows.labels.defined()) {
        std::memcpy(window.labels.data<std::int64_t>() + window_rows, rows.labels.data<std::int64_t>(),
                    static_cast<std::size_t>(rows.labels.size_bytes()));
      }
      window_rows += count;
      piece_at += count;
    }
    if (window_rows == 0) return false;
    const Rng rng = Rng(state.seed).split(static_cast<std::uint64_t>(state.epoch));
    if (options.shuffle_rows > 0) {
      order = rng.split(static_cast<std::uint64_t>(window_number)).permutation(window_rows);
    } else {
      order.resize(static_cast<std::size_t>(window_rows));
      for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
    }
    ++window_number;
    return true;
  }

  /// Opens the stream at the state's place.
  void start() {
    reader.emplace(source.open());
    window_number = state.position / window_size();
    skip(window_number * window_size());
    const std::int64_t into = state.position % window_size();
    if (into == 0) return;
    fill();
    if (into > window_rows) {
      throw DataError(concat("TableBatches: position ", state.position, " does not exist, the stream ends after ",
                             state.position - into + window_rows, " rows"));
    }
    at = into;
  }

  /// The next rows of this epoch, `batch_size` unless it ends.
  Batch rows_of_epoch() {
    Batch batch;
    std::int64_t rows = 0, width = 0;
    while (rows < options.batch_size && (at < window_rows || fill())) {
      if (rows == 0) {
        batch.data = Tensor::empty(window.data.shape().with(0, options.batch_size), DType::f32, Device::cpu());
        if (window.labels.defined()) {
          batch.labels = Tensor::empty({options.batch_size}, DType::i64, Device::cpu());
        }
        width = batch.data.size() / options.batch_size;
      }
      const std::int64_t from = order[static_cast<std::size_t>(at++)];
      if (width > 0) {
        std::memcpy(batch.data.data<float>() + rows * width, std::as_const(window.data).data<float>() + from * width,
                    static_cast<std::size_t>(width) * sizeof(float));
      }
      if (batch.labels.defined()) {
        batch.labels.data<std::int64_t>()[rows] = std::as_const(window.labels).data<std::int64_t>()[from];
      }
      ++rows;
    }
    if (rows > 0 && rows < options.batch_size) {
      batch.data = batch.data.rows(0, rows).clone();
      if (batch.labels.defined()) batch.labels = batch.labels.rows(0, rows).clone();
    }
    return batch;
  }

  Batch next() {
    for (;;) {
      if (!reader) start();
      Batch batch = rows_of_epoch();
      const std::int64_t rows = batch.data.defined() ? batch.data.shape(0) : 0;
      if (rows == options.batch_size || (rows > 0 && !options.drop_last)) {
        state.position += rows;
        return batch;
      }
      if (state.position == 0) {
        throw DataError(concat("TableBatches: the stream has ", rows, " rows, one batch needs ",
                               options.drop_last ? options.batch_size : 1,
                               options.drop_last ? " (drop_last is set)" : ""));
      }
      ++state.epoch;
      state.position = 0;
      close();
    }
  }

  const TableSource source;
  const TableSamples samples;
  const TableBatchesOptions options;
  SourceState state;

  std::optional<AnyTableReader> reader;  // of the epoch that is being read
  Table piece, rest;                     // what it gave last; rows of a round that is not complete
  std::int64_t piece_at = 0;
  Batch window;  // encoded rows, given out in `order`
  std::vector<std::int64_t> order;
  std::int64_t window_rows = 0, at = 0, window_number = 0;
};

SYNTHDATA_INLINE TableBatches::TableBatches(TableSource source, TableSamples samples,
                                            const TableBatchesOptions& options)
    : impl_(new Impl(std::move(source), std::move(samples), options)) {}
SYNTHDATA_INLINE TableBatches::TableBatches(TableBatches&&) noexcept = default;
SYNTHDATA_INLINE TableBatches& TableBatches::operator=(TableBatches&&) noexcept = default;
SYNTHDATA_INLINE TableBatches::~TableBatches() = default;

SYNTHDATA_INLINE Batch TableBatches::next() {
  try {
    return impl_->next();
  } catch (...) {
    impl_->close();  // the next call begins at the same place
    throw;
  }
}
SYNTHDATA_INLINE SourceState TableBatches::state() const { return impl_->state; }
SYNTHDATA_INLINE void TableBatches::restore(const SourceState& state) {
  if (state.epoch < 0 || state.position < 0) {
    throw DataError(
        concat("TableBatches::restore: expects epoch and position >= 0, got ", state.epoch, " and ", state.position));
  }
  impl_->close();
  impl_->state = state;
}

}  // namespace synthdata
