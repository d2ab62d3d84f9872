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

constexpr double mark_width = 0.6;  // of a superscript character

bool words_first(std::string_view text, Number const& number) {
  const std::string_view before = text.substr(0, number.from);
  return !before.empty() && before != "< " && before != "> ";
}

/// Pads the numbers of lines of the same shape to the same widths; the first one is not padded before its digits.
void pad_shapes(std::vector<Line*> const& lines) {
  struct Width {
    double whole = 0;
    std::size_t part = 0;
  };
  std::map<std::string, std::vector<Width>> widths;
  for (const Line* line : lines) {
    const auto numbers = numbers_in(line->text);
    auto& of_shape = widths[shape(line->text, numbers)];
    of_shape.resize(numbers.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      auto const& [from, point, to] = numbers[i];
      of_shape[i].whole = std::max(of_shape[i].whole, width(std::string_view(line->text).substr(from, point - from)));
      of_shape[i].part = std::max(of_shape[i].part, to - point);
    }
  }
  for (Line* line : lines) {
    const auto numbers = numbers_in(line->text);
    if (numbers.empty() || words_first(line->text, numbers.front())) continue;
    auto const& of_shape = widths[shape(line->text, numbers)];
    std::string out;
    std::size_t at = 0;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      auto const& [from, point, to] = numbers[i];
      out += line->text.substr(at, from - at);
      if (i > 0) out += spaces(of_shape[i].whole - width(std::string_view(line->text).substr(from, point - from)));
      out += line->text.substr(from, to - from);
      if (to < line->text.size()) out += spaces(double(of_shape[i].part - (to - point)));
      at = to;
    }
    line->text = out + line->text.substr(at);
  }
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
    else
      append_unit(out, 0xd800u + ((unsigned(c) - 0x10000u) >> 10)),
          append_unit(out, 0xdc00u + ((unsigned(c) - 0x10000u) & 0x3ffu));
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
        if (!lines.back().text.empty() || !lines.back().marks.empty()) lines.push_back({.text = {}, .below = true});
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

double align(std::vector<std::vector<Line*>> const& groups) {
  struct Block {
    double left = 0, right = 0;
  };
  Block blocks[2];  // of first lines, and of those below
  double without = 0;
  std::map<Line const*, double> left;  // characters before the point of the first number
  for (auto const& lines : groups) {
    pad_shapes(lines);
    for (const Line* line : lines) {
      const double all = width(line->text) + mark_width * double(line->marks.size());
      const auto numbers = numbers_in(line->text);
      if (numbers.empty() || words_first(line->text, numbers.front())) {
        without = std::max(without, all);
        continue;
      }
      const double before = width(std::string_view(line->text).substr(0, numbers.front().point));
      Block& block = blocks[line->below];
      left[line] = before;
      block.left = std::max(block.left, before), block.right = std::max(block.right, all - before);
    }
  }
  const double whole = std::max({blocks[0].left + blocks[0].right, blocks[1].left + blocks[1].right, without});
  for (auto const& lines : groups)
    for (Line* line : lines) {
      const auto found = left.find(line);
      Block const& block = blocks[line->below];
      line->pad = found == left.end() ? (whole - width(line->text)) / 2
                                      : (whole - block.left - block.right) / 2 + block.left - found->second;
    }
  return whole;
}

}  // namespace equipoise::report::rtf
