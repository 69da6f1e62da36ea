// synthdata/data/xml_table.hpp: tables from and to XML, a record an element, plain or .gz.
//
// The fields of a record are its attributes and its child elements; a child <field name="..."> stands for a field of
// that name, as mysqldump writes it. One with xsi:nil="true" is missing. XML has no types, so they are inferred from
// the texts as for CSV, with the same texts for missing values; the empty one is among them. Element texts are kept
// with their blanks.
//
// Reading needs pugixml: link the CMake target synthdata::xml, or without CMake compile synthdata/data/xml_codec.cpp
// into the program and link with -lpugixml. Nothing is expanded but the five entities of XML itself and numbers of
// characters; a document type with declarations of its own is refused; depth and sizes are bounded. Errors are
// DataErrors that begin with "file:line:column: ".
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/data/records.hpp>

namespace synthdata {

/// The elements called `record`, wherever they are, or all children of the root where that is empty.
/// @throws DataError as described above; for a file without a record, unless a schema is given; for elements within
///         fields, attributes of fields, unless options.nested_as_text keeps them as XML; and for what a value is not,
///         given a schema. Error if the program was built without synthdata::xml
Table read_xml(const std::string& path, const std::string& record = {}, const RecordOptions& options = {});
/// The same for text in memory; messages name it "text".
Table parse_xml(std::string_view text, const std::string& record = {}, const RecordOptions& options = {});

/// Reads a file of any size piece by piece; a TableReader. All pieces have the same schema; it is found by reading the
/// file once before, unless one is given. Memory: a few times the text of `rows` records, at most so many a piece, and
/// a window of 8 MB.
class XmlReader : public detail::RecordReader {
 public:
  explicit XmlReader(const std::string& path, const std::string& record = {}, const RecordOptions& options = {},
                     std::int64_t rows = 65536);
};

/// The names of the elements that are written.
struct XmlWriteOptions {
  std::string root = "table", record = "row";
};

/// Writes tables one below the other, fields as child elements; the file appears under its name when commit() is
/// called. A missing value is written as it was spelled if it is read as such again, else by xsi:nil.
/// @throws DataError if the file cannot be made, is on a full disk, a table has other columns than the first, a text is
/// not UTF-8 or has control characters, which XML has not, or a name of the options is none in XML
class XmlWriter {
 public:
  explicit XmlWriter(std::string path, const XmlWriteOptions& options = {});
  void write(const Table& table);
  void commit();

 private:
  detail::TextSink sink_;
  XmlWriteOptions options_;
};

void write_xml(const std::string& path, const Table& table, const XmlWriteOptions& options = {});
/// The text that write_xml writes.
std::string format_xml(const Table& table, const XmlWriteOptions& options = {});

namespace detail {

/// What is found in the records of a text.
class XmlSink {
 public:
  XmlSink() = default;
  XmlSink(const XmlSink&) = default;
  XmlSink& operator=(const XmlSink&) = default;
  virtual ~XmlSink() = default;
  virtual void begin(std::size_t at) = 0;  ///< of a record, at that byte of the text
  virtual void field(std::string_view name, std::string_view value) = 0;
  virtual void missing(std::string_view name) = 0;
  virtual void end() = 0;
  [[noreturn]] virtual void fail(std::size_t at, const std::string& message) const = 0;
};
/// What data/xml_codec.cpp brings into a program: the records of a text that holds nothing but elements, which are
/// records, and comments. What is said of a record stays until its end.
struct XmlCodec {
  void (*parse)(std::string_view text, bool nested_as_text, XmlSink& sink) = nullptr;
};
XmlCodec& xml_codec();

}  // namespace detail
}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/data/xml_table_impl.hpp>
#endif
