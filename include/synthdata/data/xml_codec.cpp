// synthdata/data/xml_codec.cpp: brings reading to data/xml_table.hpp, over pugixml. The CMake target synthdata::xml
// compiles it into the program that links it.
//
// SPDX-License-Identifier: MIT
#include <synthdata/data/xml_table.hpp>

#include <pugixml.hpp>

#include <cstring>
#include <memory>

namespace synthdata::detail {
namespace {

bool is_element(const pugi::xml_node& node) { return node.type() == pugi::node_element; }
bool is_text(const pugi::xml_node& node) { return node.type() == pugi::node_pcdata || node.type() == pugi::node_cdata; }
bool is_blank(const char* text) { return text[std::strspn(text, " \t\r\n")] == '\0'; }

/// Attributes that say something about XML, not about a record.
bool is_about_xml(std::string_view name) {
  return name == "xmlns" || name.starts_with("xmlns:") || name.starts_with("xsi:") || name.starts_with("xml:");
}
bool is_nil(const pugi::xml_node& node) {
  const std::string_view nil = node.attribute("xsi:nil").value();
  return nil == "true" || nil == "1";
}

struct StringWriter final : pugi::xml_writer {
  std::string text;
  void write(const void* data, std::size_t size) override { text.append(static_cast<const char*>(data), size); }
};

class Records {
 public:
  Records(bool nested_as_text, XmlSink& sink) : nested_as_text_(nested_as_text), sink_(sink) {}

  void read(const pugi::xml_node& record) {
    const std::size_t place = place_of(record);
    sink_.begin(place);
    texts_.clear();
    for (const pugi::xml_attribute& attribute : record.attributes()) {
      if (!is_about_xml(attribute.name())) sink_.field(attribute.name(), attribute.value());
    }
    for (const pugi::xml_node& child : record.children()) {
      if (is_element(child)) {
        field(child);
      } else if (is_text(child) && !is_blank(child.value())) {
        sink_.fail(place, std::string("element \"") + record.name() + "\": text beside its fields");
      }
    }
    sink_.end();
  }

  /// Of the < before the name, which is where pugixml says that an element is.
  static std::size_t place_of(const pugi::xml_node& node) { return static_cast<std::size_t>(node.offset_debug() - 1); }

 private:
  void field(const pugi::xml_node& node) {
    std::string_view name = node.name();
    bool nested = false;
    for (const pugi::xml_attribute& attribute : node.attributes()) {
      if (name == "field" && std::string_view(attribute.name()) == "name") continue;
      nested |= !is_about_xml(attribute.name());
    }
    if (name == "field" && node.attribute("name")) name = node.attribute("name").value();
    std::int64_t texts = 0;
    for (const pugi::xml_node& child : node.children()) {
      nested |= is_element(child);
      texts += is_text(child);
    }
    if (nested && !nested_as_text_) {
      sink_.fail(place_of(node), "field " + in_quotes(name) +
                                     " has attributes or elements of its own; nested_as_text keeps it as text");
    }
    if (is_nil(node) && texts == 0) {
      sink_.missing(name);
    } else if (nested) {
      StringWriter writer;
      node.print(writer, "", pugi::format_raw);
      sink_.field(name, keep(std::move(writer.text)));
    } else if (texts <= 1) {
      sink_.field(name, node.child_value());
    } else {  // in pieces: CDATA and comments part them
      std::string joined;
      for (const pugi::xml_node& child : node.children()) {
        if (is_text(child)) joined += child.value();
      }
      sink_.field(name, keep(std::move(joined)));
    }
  }

  std::string_view keep(std::string text) {
    texts_.push_back(std::make_unique<std::string>(std::move(text)));
    return *texts_.back();
  }

  bool nested_as_text_;
  XmlSink& sink_;
  std::vector<std::unique_ptr<std::string>> texts_;
};

void parse(std::string_view text, bool nested_as_text, XmlSink& sink) {
  pugi::xml_document document;
  const pugi::xml_parse_result result = document.load_buffer(
      text.data(), text.size(), pugi::parse_default | pugi::parse_fragment | pugi::parse_ws_pcdata_single,
      pugi::encoding_utf8);
  if (!result) sink.fail(static_cast<std::size_t>(result.offset), result.description());
  Records records(nested_as_text, sink);
  for (const pugi::xml_node& node : document.children()) {
    if (is_element(node)) records.read(node);
  }
}

[[maybe_unused]] const bool registered = (xml_codec() = {parse}, true);

}  // namespace
}  // namespace synthdata::detail
