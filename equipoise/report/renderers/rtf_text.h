#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "equipoise/report/cells.h"

/// Text of an RTF document, and numbers brought under each other in a type whose characters have one width.
namespace equipoise::report::rtf {

/// Escaped: \\, { and }, and \uN? for what is no ASCII (two of them above U+FFFF; Chinese characters in the second font). Source:
/// Rich Text Format specification 1.9.1, "Unicode RTF". Bytes that are no UTF-8 become U+FFFD; control characters are dropped.
std::string escaped(std::string_view text);

/// Width in characters of the type: 1, and 5/3 for Chinese characters, which are as wide as they are high.
double width(std::string_view text);

/// One line of a cell: its text and the footnotes it is marked with.
struct Line {
  std::string text;
  std::string marks{};
  bool below = false;  ///< under the first line of its cell
  double pad = 0;      ///< characters to leave free before the line in its column's block; by `align`
};
std::vector<Line> lines_of(Cell const& cell);

/// Brings the lines of one column under each other by the decimal point of their first number (lines below others among
/// themselves; lines that begin with words in the middle). Inside a group of rows, the other numbers of lines of the same shape,
/// "# (#%)", stand under each other too, by no-break spaces. Returns the width of the block in characters.
double align(std::vector<std::vector<Line*>> const& groups);

}  // namespace equipoise::report::rtf
