#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace equipoise::report {

/// A piece of HTML or SVG that is safe to put into a page. Any text turns into one by being escaped, and only `element` makes
/// tags, so there is no way to forget the escape. Bytes that are no UTF-8 become U+FFFD; control characters and the marks that
/// reorder text (U+202A to U+202E, U+2066 to U+2069) are dropped, so that no label can show other than it reads.
class Markup {
 public:
  Markup() = default;
  Markup(std::string_view text);  // NOLINT: implicit on purpose, this is the escape
  Markup(std::string const& text) : Markup(std::string_view(text)) {}
  Markup(const char* text) : Markup(std::string_view(text)) {}

  Markup& operator+=(Markup const& more) {
    bytes_ += more.bytes_;
    return *this;
  }
  friend Markup operator+(Markup a, Markup const& b) {
    a += b;
    return a;
  }
  bool empty() const { return bytes_.empty(); }
  std::string const& bytes() const { return bytes_; }

  /// For constants of ours (style, script, doctype) only; never for what came from a file.
  static Markup trusted(std::string_view constant) {
    Markup m;
    m.bytes_ = constant;
    return m;
  }

 private:
  std::string bytes_;
};

/// One attribute; names are ours, values are escaped.
struct Attribute {
  std::string_view name;
  std::string value;
  Attribute(std::string_view n, std::string v) : name(n), value(std::move(v)) {}
  Attribute(std::string_view n, double v);  ///< at most two decimals
  Attribute(std::string_view n, int v) : name(n), value(std::to_string(v)) {}
};
using Attributes = std::vector<Attribute>;

/// <tag name="value">children</tag>; without children `<tag ...></tag>`, or `<tag ...>` for the elements of HTML that have no
/// end.
Markup element(std::string_view tag, Attributes const& attributes, Markup const& children = {});
Markup element(std::string_view tag, Markup const& children);
Markup element(std::string_view tag, std::string_view css_class, Markup const& children);

/// What may be wider than a narrow screen, in a frame of its own that scrolls, with the keyboard too.
Markup scrolling(std::string_view css_class, Markup const& inside);

/// A number as a coordinate: at most two decimals, no trailing zeros, never "-0".
std::string coordinate(double value);

}  // namespace equipoise::report
