// tests/data/xml_table_test.cpp: tables from and to XML.
//
// SPDX-License-Identifier: MIT
#include <synthdata/data/csv.hpp>
#include <synthdata/data/read.hpp>
#include <synthdata/data/xml_table.hpp>

#include "../io/files.hpp"
#include "../test.hpp"

using namespace synthdata;

namespace {
bool can_read() { return detail::xml_codec().parse != nullptr; }
#define NEEDS_XML() \
  if (!can_read()) SYNTHDATA_SKIP("built without pugixml")

std::string error_of(const std::string& text, const std::string& record = {}, const RecordOptions& options = {}) {
  try {
    parse_xml(text, record, options);
  } catch (const DataError& error) {
    return error.what();
  }
  return "none";
}
std::vector<std::string> cells(const Column& column) {
  std::vector<std::string> found;
  for (std::int64_t row = 0; row < column.size(); ++row) found.push_back(column.cell(row));
  return found;
}
using Cells = std::vector<std::string>;
}  // namespace

TEST_CASE("Without its component, reading XML says what to link") {
  const detail::XmlCodec codec = detail::xml_codec();
  detail::xml_codec() = {};
  CHECK_THROWS_WITH(parse_xml("<a/>"), ContainsSubstring("synthdata::xml"));
  CHECK_THROWS_AS(parse_xml("<a/>"), Error);
  detail::xml_codec() = codec;
}

TEST_CASE("XML records have fields from attributes and child elements") {
  NEEDS_XML();
  const Table table = parse_xml(
      "\xef\xbb\xbf<?xml version='1.0' encoding=\"utf-8\"?>\n<!DOCTYPE people>\n<!-- <row/> -->\n"
      "<people xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'>\n"
      "  <row id='1' name=\"A &amp; B &#x20AC;\"><age>39</age><x>1.50</x><note> a &lt; b </note></row><!-- between "
      "-->\n"
      "  <person id=\"2\" name='C > D'><x>2.25</x><age/><note><![CDATA[<row> & ]]>more</note></person>\r\n"
      "  <row id='3'><age xsi:nil='true'/><name>E\nF</name><x>?</x><note>   </note></row>\n"
      "  <row id='5'/></people>\n<!-- after -->");
  REQUIRE(table.size() == 4);
  CHECK(table.schema().columns[1].name == "name");
  CHECK(cells(table["name"]) == Cells{"A & B €", "C > D", "E\nF", ""});
  CHECK(table["age"].type() == ColumnType::integer);
  CHECK(table["age"].missing_count() == 3);
  CHECK(table["x"].real(1) == 2.25);
  CHECK(table["x"].is_missing(2));
  CHECK(table["note"].cell(0) == " a < b ");
  CHECK(table["note"].cell(1) == "<row> & more");
  CHECK(table["note"].is_missing(2));
  CHECK(table["id"].cell(3) == "5");
}

TEST_CASE("XML records are found by their name at any depth") {
  NEEDS_XML();
  const std::string text =
      "<r><head>text<row v='x'/></head><part><b><row><v>1</v><row>inner</row></row></b><row><v>2</v></row></part>"
      "<!-- <row/> --><row v='3'/><other/>\n</r>";
  CHECK(error_of(text, "row").find("flat") == std::string::npos);
  const Table table = parse_xml(text, "row");
  CHECK(cells(table["v"]) == Cells{"x", "1", "2", "3"});
  CHECK(cells(table["row"]) == Cells{"", "inner", "", ""});
  CHECK(error_of(text, "absent") == "text: expects at least one record with a field");
  // as mysqldump writes it
  const Table dump = parse_xml(
      "<mysqldump xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><database name=\"d\"><table_data name=\"t\">"
      "<row><field name=\"a b\">1</field><field name=\"c\" xsi:nil=\"true\" /></row>"
      "<row><field name=\"a b\">2</field><field name=\"c\">x</field></row></table_data></database></mysqldump>",
      "row");
  CHECK(cells(dump["a b"]) == Cells{"1", "2"});
  CHECK(dump["c"].is_missing(0));
}

TEST_CASE("What is wrong with XML is said with its place") {
  NEEDS_XML();
  CHECK(error_of("") == "text:1:1: the file ends, expected an element");
  CHECK(error_of("<a>") == "text:1:4: the file ends, expected the end of element \"a\"");
  CHECK(error_of("<a>\n<b></a>") == "text:2:4: expected the end of element \"b\", got that of \"a\"");
  CHECK(error_of("<a></a><b></b>") == "text:1:8: expected the end of the file after the root element");
  CHECK(error_of("</a>") == "text:1:1: the end of element \"a\", which is not open");
  CHECK(error_of("<a>x</a>") == "text:1:4: text outside of a record");
  CHECK(error_of("x<a/>") == "text:1:1: text outside of a record");
  CHECK(error_of("<a><![CDATA[x]]></a>") == "text:1:4: text outside of a record");
  CHECK(error_of("<a><b>text</b></a>") == "text:1:4: element \"b\": text beside its fields");
  CHECK(error_of("<a><b><c d='1'>2</c></b></a>") ==
        "text:1:7: field \"c\" has attributes or elements of its own; nested_as_text keeps it as text");
  CHECK(error_of("<a><b><c><d/></c></b></a>").find("nested_as_text") != std::string::npos);
  CHECK(error_of("<a><b c='1'><c>2</c></b></a>") == "text:1:4: key \"c\" comes twice in this record");
  CHECK(error_of("<a><b c='1' c='2'/></a>") == "text:1:4: key \"c\" comes twice in this record");
  CHECK(error_of("<a><b><c>&foo;</c></b></a>") == "text:1:10: entity \"foo\" is not one of XML's own");
  for (const char* entity : {"&;", "& ", "&#0;", "&#x1;", "&#xd800;", "&#x110000;", "&#99999999999;", "&#;", "&#x;"}) {
    INFO(entity);
    CHECK(error_of(concat("<a><b c='", entity, "'/></a>")).find("is not one of XML's own") != std::string::npos);
  }
  CHECK(error_of("<!DOCTYPE a [<!ENTITY b \"c\">]><a/>").find("is refused") != std::string::npos);
  CHECK(error_of("<a><!DOCTYPE b></a>").find("document type") != std::string::npos);
  CHECK(error_of("<a><!ELEMENT b></a>").find("expected the name") != std::string::npos);
  CHECK(error_of("<?xml version='1.0' encoding='latin-1'?><a/>").find("encoding \"latin-1\"") != std::string::npos);
  CHECK(error_of("<a><b c='\xff'/></a>").find("text:1:10: a byte that is not UTF-8") != std::string::npos);
  CHECK(error_of(std::string("<a><b c='\0'/></a>", 17)).find("text:1:10") != std::string::npos);
  CHECK(error_of("<a><b c='<'/></a>") == "text:1:10: a < inside a tag");
  CHECK(error_of("<a><b c=1/></a>").find("text:1:") == 0);
  CHECK(error_of("<a><b").find("not closed") != std::string::npos);
  CHECK(error_of("<a><!-- ").find("not closed") != std::string::npos);
  CHECK(error_of("<a><b><![CDATA[ ").find("not closed") != std::string::npos);
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "<a>";
  CHECK(error_of(deep).find("more than 64 deep") != std::string::npos);
  CHECK(error_of("<a><b c='" + std::string(100, 'x') + "'/></a>", {}, {.max_record_bytes = 50})
            .find("max_record_bytes") != std::string::npos);
  const Schema schema{{{.name = "c", .type = ColumnType::integer}}};
  CHECK(error_of("<a>\n<b c='x'/></a>", {}, {.schema = schema}) == "text:2:1: key \"c\" expects integer, got \"x\"");
  CHECK(parse_xml("<a/>", {}, {.schema = schema}).size() == 0);
  const Table kept = parse_xml("<a><b><c d='1'>2<e/></c></b></a>", {}, {.nested_as_text = true});
  CHECK(kept["c"].cell(0) == "<c d=\"1\">2<e/></c>");
}

TEST_CASE("XML of any size comes in pieces, plain and packed, as the whole") {
  NEEDS_XML();
  const test::Scratch scratch;
  std::string text = "place,a text,share,kind,field\n";
  for (int i = 0; i < 60000; ++i) {
    text += concat(i, ",\" <a & \"\"longer\"\" text> ", i % 1237, "\t\r\n\",", i, ".25,", i % 3 == 0 ? "third" : " ?",
                   ",", i % 7, "\n");
  }
  const Table whole = parse_csv(text);
  CHECK(whole["kind"].missing_count() == 40000);
  for (const char* name : {"a.xml", "a.xml.gz"}) {
    INFO(name);
    const std::string path = scratch / name;
    write(path, whole);
    CHECK(read(path) == whole);
    AnyTableReader reader = open_reader(path, {}, 7001);
    CHECK(reader.schema() == whole.schema());
    std::int64_t rows = 0;
    while (const auto piece = reader.next()) {
      REQUIRE(*piece == whole.rows(rows, rows + piece->size()));
      rows += piece->size();
    }
    CHECK(rows == whole.size());
  }
  CHECK(parse_xml(format_xml(whole, {.root = "all", .record = "one"}), "one") == whole);
  CHECK_THROWS_AS(format_xml(whole, {.root = "a b"}), DataError);
  const std::vector<std::string> control = {"a\x01"};
  CHECK_THROWS_WITH(format_xml(Table({Column::texts("a", control)})), ContainsSubstring("control characters"));
}
