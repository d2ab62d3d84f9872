#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// JSON with keys in the order of the calls and numbers in shortest round-trip form. The library's own writer is not used for
/// numbers: it is not always the shortest form, and writes a whole number with ".0".
namespace equipoise::results {

/// Bytes that are no UTF-8 become U+FFFD: a label can hold anything, the document stays JSON.
std::string json_text(std::string_view text);

/// NaN is "NE"; infinite numbers are "Infinity" and "-Infinity".
std::string number(double value);

/// Writes the members of one JSON object.
class Object {
 public:
  Object& raw(std::string_view key, std::string const& json) {
    body_ += (body_.empty() ? "" : ", ") + json_text(key) + ": " + json;
    return *this;
  }
  Object& text(std::string_view key, std::string_view value) { return raw(key, json_text(value)); }
  Object& count(std::string_view key, std::int64_t value) { return raw(key, std::to_string(value)); }
  Object& flag(std::string_view key, bool value) { return raw(key, value ? "true" : "false"); }
  Object& real(std::string_view key, double value) { return raw(key, number(value)); }
  Object& real(std::string_view key, std::optional<double> value) { return value ? real(key, *value) : *this; }
  Object& text_if(std::string_view key, std::optional<std::string> const& value) { return value ? text(key, *value) : *this; }
  std::string str() const { return std::string("{") + body_ + "}"; }

 private:
  std::string body_;
};

/// A list, on one line or (`line`: what each element starts with) one a line.
template <class T, class Write>
std::string list(std::vector<T> const& values, Write write, std::string_view line = "") {
  std::string out = "[";
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i) out += ",";
    out += line.empty() ? (i ? " " : "") : line;
    out += write(values[i]);
  }
  if (!line.empty() && !values.empty()) out += line.substr(0, line.size() - 2);
  return out + "]";
}

std::string texts(std::vector<std::string> const& values);

}  // namespace equipoise::results
