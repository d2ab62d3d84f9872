#pragma once

#include <string>
#include <string_view>

namespace equipoise::data {

/// Reads JSON (RFC 8259) from one text, value by value, without making a tree: a data set of a gigabyte is read at the cost of
/// its columns. After the first mistake every call fails; `problem` and `position` say what and where.
class JsonCursor {
 public:
  explicit JsonCursor(std::string_view text) : text_(text) {}

  enum class Kind { string, number, object, array, true_word, false_word, null_word, end, other };
  /// What comes next, blanks skipped.
  Kind peek();

  /// Takes the character if it is next.
  bool take(char c);
  /// Takes the character; a mistake when another is next.
  bool expect(char c);
  /// Takes a string. What it looks at stays until the next string is taken.
  bool string(std::string_view& out);
  /// Takes a number as it is written.
  bool number(std::string_view& out);
  /// Takes true, false or null, after `peek` has seen it.
  bool word();
  /// Takes a whole value, however deep, and forgets it.
  bool skip();

  /// Calls `member(key)` for each member, which takes its value and says whether to go on.
  template <class Member>
  bool object(Member&& member) {
    if (!expect('{')) return false;
    if (take('}')) return true;
    do {
      std::string_view key;
      if (!string(key)) return false;
      const std::string name(key);
      if (!expect(':') || !member(name)) return false;
    } while (take(','));
    return expect('}');
  }
  /// Calls `element()` for each element, which takes it and says whether to go on.
  template <class Element>
  bool array(Element&& element) {
    if (!expect('[')) return false;
    if (take(']')) return true;
    do {
      if (!element()) return false;
    } while (take(','));
    return expect(']');
  }

  std::size_t position() const { return at_; }
  void go_to(std::size_t position) { at_ = position; }
  bool failed() const { return !problem_.empty(); }
  std::string const& problem() const { return problem_; }
  /// Line and column (in bytes) of a position, from 1.
  std::pair<int, int> line_and_column(std::size_t position) const;
  bool fail(std::string what);

 private:
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) ++at_;
  }
  bool escape();
  bool hex(unsigned& code);

  std::string_view text_;
  std::size_t at_ = 0;
  std::string unescaped_, problem_;
};

/// Appends a JSON string: quotes, and escapes only where RFC 8259 asks for them; the text must be UTF-8.
void append_json_string(std::string& out, std::string_view text);

}  // namespace equipoise::data
