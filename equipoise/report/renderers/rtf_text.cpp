#include "equipoise/report/renderers/rtf_text.h"

#include <algorithm>
#include <map>

#include "equipoise/report/utf8.h"

namespace equipoise::report::rtf {
namespace {

constexpr std::string_view no_break_space = "\u00a0";
constexpr std::string_view minus = "\u2212";

bool wide(char32_t c) { return c >= 0x2e80 && c != 0xfffd; }

void append_unit(std::string& out, unsigned unit) {
  out += "\\u" + std::to_string(unit < 0x8000 ? int(unit) : int(unit) - 0x10000) + "?";
}

/// A number inside a text: [from, point) and [point, to) are the digits before and from the decimal point.
struct Number {
  std::size_t from, point, to;
};

bool digit(char c) { return c >= '0' && c <= '9'; }

std::vector<Number> numbers_in(std::string_view text) {
  std::vector<Number> found;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    if (text.substr(at).starts_with(results::not_estimable)) {
      end = at + results::not_estimable.size();
      found.push_back({at, end, end});
    } else {
      if (text.substr(at).starts_with(minus)) end += minus.size();
      const std::size_t digits = end;
      while (end < text.size() && digit(text[end])) ++end;
      if (end == digits) {
        ++at;
        continue;
      }
      const std::size_t point = end;
      if (end + 1 < text.size() && text[end] == '.' && digit(text[end + 1]))
        for (++end; end < text.size() && digit(text[end]);) ++end;
      found.push_back({at, point, end});
    }
    at = end;
  }
  return found;
}

/// The text with '#' for each number.
std::string shape(std::string_view text, std::vector<Number> const& numbers) {
  std::string out;
  std::size_t at = 0;
  for (Number const& one : numbers) out.append(text.substr(at, one.from - at)).append("#"), at = one.to;
  return out.append(text.substr(at));
}

std::string spaces(double n) {
  std::string out;
  for (int i = 0; i < int(n + 0.5); ++i) out += no_break_space;
  return out;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  bool in_wide = false;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, at);
    if (c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069)) {
      if (c == '\n' || c == '\t') out += ' ';
      continue;
    }
    if (wide(c) != in_wide) out += in_wide ? "}" : "{\\f1 ";
    in_wide = wide(c);
    if (c == '\\' || c == '{' || c == '}') out += '\\', out += char(c);
    else if (c == 0xa0) out += "\\~";
    else if (c < 0x80) out += char(c);
    else if (c < 0x10000) append_unit(out, unsigned(c));
    else append_unit(out, 0xd800u + ((unsigned(c) - 0x10000u) >> 10)), append_unit(out, 0xdc00u + ((unsigned(c) - 0x10000u) & 0x3ffu));
  }
  if (in_wide) out += "}";
  return out;
}

double width(std::string_view text) {
  double sum = 0;
  for (std::size_t at = 0; at < text.size();) sum += wide(next_code_point(text, at)) ? 5.0 / 3 : 1.0;
  return sum;
}

std::vector<Line> lines_of(Cell const& cell) {
  std::vector<Line> lines(1);
  for (Piece const& piece : cell.pieces) switch (piece.kind) {
      case Piece::Kind::under:
      case Piece::Kind::place:
      case Piece::Kind::n:
      case Piece::Kind::window:
        if (!lines.back().text.empty() || !lines.back().marks.empty()) lines.emplace_back();
        lines.back().text += piece.text;
        break;
      case Piece::Kind::mark:
        lines.back().marks += (lines.back().marks.empty() ? "" : ",") + piece.text;
        break;
      case Piece::Kind::tag:
        lines.back().text += " (" + piece.text + ")";
        break;
      default:
        lines.back().text += symbol(piece);
    }
  return lines;
}

double align(std::vector<Line*> const& lines) {
  struct Width {
    double whole = 0, part = 0;
  };
  std::map<std::string, std::vector<Width>> widths;  // of each number of a shape
  for (const Line* line : lines) {
    const auto numbers = numbers_in(line->text);
    auto& of_shape = widths[shape(line->text, numbers)];
    of_shape.resize(numbers.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      auto const& [from, point, to] = numbers[i];
      of_shape[i].whole = std::max(of_shape[i].whole, width(std::string_view(line->text).substr(from, point - from)));
      of_shape[i].part = std::max(of_shape[i].part, double(to - point));
    }
  }
  double left = 0, right = 0, without = 0;
  for (Line* line : lines) {
    const auto numbers = numbers_in(line->text);
    auto const& of_shape = widths[shape(line->text, numbers)];
    std::string out;
    std::size_t at = 0;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      auto const& [from, point, to] = numbers[i];
      const std::string_view whole = std::string_view(line->text).substr(from, point - from);
      const bool first = i == 0, last = i + 1 == numbers.size() && to == line->text.size();
      out += line->text.substr(at, from - at);
      if (!first) out += spaces(of_shape[i].whole - width(whole));
      out += whole;
      if (first) line->left = width(out);
      out += line->text.substr(point, to - point);
      if (!last) out += spaces(of_shape[i].part - double(to - point));
      at = to;
    }
    line->text = out + line->text.substr(at);
    const double all = width(line->text) + 0.6 * double(line->marks.size());
    if (numbers.empty()) without = std::max(without, all);
    else left = std::max(left, line->left), right = std::max(right, all - line->left);
  }
  const double block = std::max(left + right, without);
  for (Line* line : lines)
    line->pad = line->left > 0 ? (block - left - right) / 2 + left - line->left : (block - width(line->text)) / 2;
  return block;
}

}  // namespace equipoise::report::rtf
