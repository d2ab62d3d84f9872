#include "equipoise/report/html.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdint>

#include "equipoise/report/utf8.h"

namespace equipoise::report {
namespace {

void append(std::string& out, char32_t c) {
  switch (c) {
    case '&':
      out += "&amp;";
      return;
    case '<':
      out += "&lt;";
      return;
    case '>':
      out += "&gt;";
      return;
    case '"':
      out += "&quot;";
      return;
    case '\'':
      out += "&#39;";
      return;
    default:
      break;
  }
  const bool control = (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0);
  const bool reorders = (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
  if (!control && !reorders) append_utf8(out, c);
}

}  // namespace

Markup::Markup(std::string_view text) {
  bytes_.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) append(bytes_, next_code_point(text, at));
}

Attribute::Attribute(std::string_view n, double v) : name(n), value(coordinate(v)) {}

Markup scrolling(std::string_view css_class, Markup const& inside) {
  return element("div", {{"class", std::string(css_class)}, {"tabindex", std::string("0")}}, inside);
}

std::string coordinate(double value) {
  if (!std::isfinite(value)) value = 0;
  std::string text = fmt::format("{:.2f}", value);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

Markup element(std::string_view tag, Attributes const& attributes, Markup const& children) {
  std::string out;
  out.append("<").append(tag);
  for (auto const& [name, value] : attributes)
    out.append(" ").append(name).append("=\"").append(Markup(value).bytes()).append("\"");
  out += '>';
  const bool endless = tag == "meta" || tag == "br" || tag == "col";
  if (!endless) out.append(children.bytes()).append("</").append(tag).append(">");
  return Markup::trusted(out);
}

Markup element(std::string_view tag, Markup const& children) { return element(tag, Attributes{}, children); }

Markup element(std::string_view tag, std::string_view css_class, Markup const& children) {
  return element(tag, Attributes{{"class", std::string(css_class)}}, children);
}

}  // namespace equipoise::report
