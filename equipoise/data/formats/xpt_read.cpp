#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "equipoise/core/text.h"
#include "equipoise/data/formats/encoding.h"
#include "equipoise/data/formats/ibm_float.h"
#include "equipoise/data/formats/sas_time.h"
#include "equipoise/data/formats/xpt.h"
#include "equipoise/data/formats/xpt_layout.h"

namespace equipoise::data {
namespace {

using namespace xpt;

constexpr std::size_t shown = 20;  // problems of one column

/// A variable as its NAMESTR describes it.
struct Variable {
  std::size_t length = 0, position = 0;
};

class XptReader {
 public:
  XptReader(std::string_view bytes, std::string const& file, Encoding encoding)
      : bytes_(bytes), file_(file), encoding_(encoding) {}

  Checked<std::vector<ExchangeTable>> read() {
    if (read_library())
      while (at_ < bytes_.size() && !stopped_) read_member();
    if (problems_.empty() && tables_.empty()) refuse(Code::no_data, at_, "the file has no data set");
    if (!problems_.empty()) return fail(std::move(problems_));
    return std::move(tables_);
  }

 private:
  template <class... Args>
  Error& refuse(Code code, std::size_t byte, fmt::format_string<Args...> text, Args&&... args) {
    return add_problem(problems_, {.file = file_}, code, "record {}, byte {}: {}", byte / record + 1, byte + 1,
                       fmt::format(text, std::forward<Args>(args)...));
  }
  template <class... Args>
  bool stop(std::size_t byte, fmt::format_string<Args...> text, Args&&... args) {
    refuse(Code::syntax, byte, "{}", fmt::format(text, std::forward<Args>(args)...));
    stopped_ = true;
    return false;
  }

  static std::string_view without_blanks(std::string_view text) {
    const std::size_t last = text.find_last_not_of(' ');
    return last == std::string_view::npos ? std::string_view{} : text.substr(0, last + 1);
  }

  /// The text in UTF-8, or nothing when it is not of the encoding.
  std::optional<std::string> decoded(std::string_view text) const {
    if (is_ascii(text)) return std::string(text);
    if (encoding_ == Encoding::utf8) return is_utf8(text) ? std::optional(std::string(text)) : std::nullopt;
    std::string out;
    for (const char c : text)
      if (!append_single_byte(out, static_cast<unsigned char>(c), encoding_ == Encoding::latin1)) return {};
    return out;
  }
  static constexpr std::string_view encoding_hint =
      "say how it was written: --encoding windows-1252 or latin1 (the format itself does not say)";

  /// A text of a header, without blanks at its end.
  std::string header_text(std::size_t byte, std::size_t length, std::string_view what) {
    auto text = decoded(without_blanks(bytes_.substr(byte, length)));
    if (text) return std::move(*text);
    refuse(Code::syntax, byte, "{} is not {}", what, encoding_ == Encoding::utf8 ? "UTF-8" : "of the encoding").hint =
        encoding_hint;
    return {};
  }

  /// Version or system of a writer. A blank is kept as a blank: it is not what a file without SAS would be given.
  std::string header_word(std::size_t byte, std::string_view what) {
    std::string text = header_text(byte, 8, what);
    return text.empty() ? " " : text;
  }

  std::string header_time(std::size_t byte, std::string_view what, Losses& losses) {
    const std::string_view text = bytes_.substr(byte, 16);
    if (auto iso = time_from_sas(text)) return *iso == no_time ? std::string() : std::move(*iso);
    losses.push_back({.what = fmt::format("the time when the {} is no date and time; it is taken as not known", what)});
    return {};
  }

  /// The next record, if it is there and begins so.
  bool header(std::string_view text, std::string_view what) {
    if (bytes_.size() - at_ < record)
      return stop(bytes_.size(), "the file ends before the {} record is whole: it is cut off", what);
    if (bytes_.substr(at_, text.size()) != text) return stop(at_, "here the {} record '{}' must begin", what, text.substr(0, 28));
    return true;
  }

  bool room(std::size_t length, std::string_view what) {
    if (bytes_.size() - at_ >= length) return true;
    return stop(bytes_.size(), "the file ends before the {} are whole: it is cut off", what);
  }

  bool read_library() {
    const auto other = [&](std::string_view what, std::string_view hint) {
      stop(0, "this is {}, not a SAS transport file of version 5", what);
      problems_.back().hint = hint;
      return false;
    };
    if (bytes_.empty()) {
      add_problem(problems_, {.file = file_}, Code::no_data, "the file is empty");
      return false;
    }
    constexpr std::string_view as_v5 =
        "write it with the XPORT engine: libname out xport 'file.xpt'; proc copy in=work out=out; run;";
    if (bytes_.starts_with("HEADER RECORD*******LIBV8")) return other("a SAS transport file of version 8", as_v5);
    if (bytes_.starts_with("**COMPRESSED**") || bytes_.starts_with("LIB CONTROL")) return other("a file of PROC CPORT", as_v5);
    if (bytes_.size() > 84 && bytes_.substr(84, 8) == "SAS FILE") return other("a SAS data set (sas7bdat)", as_v5);
    if (bytes_.starts_with("$FL2") || bytes_.starts_with("$FL3"))
      return other("a file of SPSS", "save it as a SAS transport file");
    if (bytes_.starts_with("PK\3\4")) return other("a ZIP archive", "unpack it first");
    if (!header(library_header, "library header")) {
      if (problems_.size() == 1 && bytes_.size() >= record)
        problems_.back().hint = "is this a SAS transport file (XPORT, version 5)?";
      return false;
    }
    if (!room(3 * record, "header records of the library")) return false;
    library_.version = header_word(record + 24, "the version of SAS");
    library_.system = header_word(record + 32, "the name of the operating system");
    library_.created = header_time(record + 64, "library was made", library_losses_);
    library_.modified = header_time(2 * record, "library was changed", library_losses_);
    at_ = 3 * record;
    return true;
  }

  void read_member() {
    if (!header(member_header, "member header")) return;
    const std::string_view size = bytes_.substr(at_ + 74, 4);
    namestr_ = size == "0140" ? 140 : size == "0136" ? 136 : 0;
    if (namestr_ == 0) {
      stop(at_ + 74, "descriptions of variables have {} bytes here, and are known with 140 (and 136, of VAX/VMS)",
           decoded(size).value_or("?"));
      return;
    }
    at_ += record;
    if (!header(descriptor_header, "descriptor header")) return;
    at_ += record;
    if (!room(2 * record, "descriptor records")) return;
    table_ = {};
    table_.losses = library_losses_;
    table_.library = library_;
    table_.name = header_text(at_ + 8, 8, "the name of the data set");
    table_.member.version = header_word(at_ + 24, "the version of SAS");
    table_.member.system = header_word(at_ + 32, "the name of the operating system");
    table_.created = header_time(at_ + 64, "data set was made", table_.losses);
    table_.modified = header_time(at_ + record, "data set was changed", table_.losses);
    table_.label = header_text(at_ + record + 32, 40, "the label of the data set");
    table_.set_type = header_text(at_ + record + 72, 8, "the type of the data set");
    if (table_.name.empty()) refuse(Code::syntax, at_ + 8, "the data set has no name");
    for (ExchangeTable const& other : tables_)
      if (other.name == table_.name) refuse(Code::duplicate, at_ + 8, "a second data set is named '{}'", table_.name);
    at_ += 2 * record;
    if (!header(namestr_header, "NAMESTR header")) return;
    std::size_t variables = 0;
    for (const char c : bytes_.substr(at_ + 54, 4)) {
      if (c < '0' || c > '9') {
        stop(at_ + 54, "the number of variables is no number");
        return;
      }
      variables = variables * 10 + std::size_t(c - '0');
    }
    at_ += record;
    if (variables == 0) refuse(Code::no_data, at_ - record + 54, "data set '{}' has no variables", table_.name);
    if (!room((variables * namestr_ + record - 1) / record * record, "descriptions of the variables")) return;
    read_variables(variables);
    if (!header(observation_header, "observation header")) return;
    at_ += record;
    if (stopped_ || !problems_.empty()) {
      at_ = end_of_data();
      return;
    }
    read_data(bytes_.substr(at_, end_of_data() - at_));
    if (problems_.empty()) tables_.push_back(std::move(table_));
  }

  /// Where the next member begins, or the file ends.
  std::size_t end_of_data() const {
    for (std::size_t at = at_; at + member_header.size() <= bytes_.size(); at += record)
      if (std::memcmp(bytes_.data() + at, member_header.data(), member_header.size()) == 0) return at;
    return bytes_.size();
  }

  std::uint16_t two_bytes(std::size_t byte) const {
    return std::uint16_t(static_cast<unsigned char>(bytes_[byte]) << 8 | static_cast<unsigned char>(bytes_[byte + 1]));
  }

  std::string format_at(std::size_t byte, std::size_t width, std::string const& name, std::string_view what) {
    const SasFormat format{header_text(byte, 8, what), int(two_bytes(width)), int(two_bytes(width + 2))};
    std::string text = sas_text(format);
    if (sas_format(text) != format)
      refuse(Code::syntax, byte, "{} of variable '{}' is none of SAS: name '{}', width {}, decimals {}", what, name, format.name,
             format.width, format.decimals);
    return text;
  }

  void read_variables(std::size_t variables) {
    variables_.clear();
    std::size_t expected = 0;
    for (std::size_t v = 0; v < variables; ++v) {
      const std::size_t at = at_ + v * namestr_;
      ExchangeColumn column;
      column.name = header_text(at + 8, 8, fmt::format("the name of variable {}", v + 1));
      column.label = header_text(at + 16, 40, fmt::format("the label of variable {}", v + 1));
      const std::uint16_t type = two_bytes(at);
      if (type != 1 && type != 2)
        refuse(Code::syntax, at, "variable {} has type {}, and is neither 1 (number) nor 2 (text)", v + 1, type);
      column.numeric = type == 1;
      const std::size_t length = two_bytes(at + 4);
      if (column.numeric && (length < 2 || length > 8))
        refuse(Code::syntax, at + 4, "the numeric variable '{}' has {} bytes, and numbers have 2 to 8", column.name, length);
      if (length == 0) refuse(Code::syntax, at + 4, "variable '{}' has no bytes", column.name);
      if (column.numeric) column.bytes = int(length);
      else column.length = int(length);
      column.format = format_at(at + 56, at + 64, column.name, "the format");
      column.informat = format_at(at + 72, at + 80, column.name, "the informat");
      const std::uint16_t justified = two_bytes(at + 68);
      if (justified > 1)
        refuse(Code::syntax, at + 68, "variable '{}' is justified {}, and 0 is left and 1 right", column.name, justified);
      column.right_justified = justified == 1;
      const std::size_t position = std::size_t(two_bytes(at + 84)) << 16 | two_bytes(at + 86);
      if (position != expected)
        refuse(Code::syntax, at + 84, "variable '{}' begins at byte {} of a row, and the one before ends there at {}",
               column.name, position, expected);
      if (column.name.empty()) refuse(Code::syntax, at + 8, "variable {} has no name", v + 1);
      const bool known = std::ranges::any_of(table_.columns, [&](ExchangeColumn const& c) { return c.name == column.name; });
      if (known && !column.name.empty()) refuse(Code::duplicate, at + 8, "a second variable is named '{}'", column.name);
      variables_.push_back({length, expected});
      expected += length;
      table_.columns.push_back(std::move(column));
    }
    row_bytes_ = expected;
    at_ += (variables * namestr_ + record - 1) / record * record;
  }

  /// How many rows: the format does not say. The last row ends within the last record, and blanks follow.
  std::size_t count_rows(std::string_view data) {
    const std::size_t most = data.size() / row_bytes_;
    const std::string_view rest = data.substr(most * row_bytes_);
    if (rest.size() >= record || rest.find_first_not_of(' ') != std::string_view::npos) {
      const std::size_t byte = at_ + most * row_bytes_;
      stop(byte, "row {} of data set '{}' has {} of its {} bytes: the file is cut off", most + 1, table_.name, rest.size(),
           row_bytes_);
      return 0;
    }
    std::size_t rows = most;
    while (rows > 0 && data.size() - (rows - 1) * row_bytes_ < record &&
           data.substr((rows - 1) * row_bytes_, row_bytes_).find_first_not_of(' ') == std::string_view::npos)
      --rows;
    if (rows < most)
      table_.losses.push_back(
          {.what = fmt::format("the last record holds the blanks of up to {} rows, which are taken for padding: the "
                               "format cannot tell blank rows from it",
                               most - rows)});
    return rows;
  }

  void read_data(std::string_view data) {
    if (data.size() % record != 0) {
      stop(bytes_.size(), "the file has {} bytes, and records have {}: it is cut off", bytes_.size(), record);
      return;
    }
    table_.rows = count_rows(data);
    if (stopped_) return;
    for (std::size_t v = 0; v < variables_.size(); ++v) {
      if (table_.columns[v].numeric) table_.columns[v].numbers.resize(table_.rows);
      else table_.columns[v].texts.reserve(table_.rows, table_.rows * std::min<std::size_t>(variables_[v].length, 16));
    }
    counts_.assign(variables_.size(), {});
    const std::size_t block =
        std::max<std::size_t>(1, 65536 / row_bytes_);  // rows that stay in the cache while columns take their cells
    for (std::size_t first = 0; first < table_.rows; first += block) {
      const std::size_t last = std::min(table_.rows, first + block);
      for (std::size_t v = 0; v < variables_.size(); ++v)
        if (table_.columns[v].numeric) read_numbers(data, v, first, last);
        else read_texts(data, v, first, last);
    }
    for (std::size_t v = 0; v < variables_.size(); ++v) finish(v);
    at_ += data.size();
  }

  struct Counts {
    std::size_t bad = 0, rounded = 0, first_rounded = 0;
  };

  void bad_cell(std::size_t v, std::size_t row, std::string message, std::string_view hint = {}) {
    if (++counts_[v].bad > shown) return;
    problems_.push_back(Error{Code::bad_cell,
                              fmt::format("row {}: {}", row + 1, message),
                              {.file = file_, .field = table_.columns[v].name},
                              std::string(hint)});
  }

  void read_numbers(std::string_view data, std::size_t v, std::size_t first, std::size_t last) {
    ExchangeColumn& column = table_.columns[v];
    const auto [length, position] = variables_[v];
    const char* at = data.data() + first * row_bytes_ + position;
    for (std::size_t row = first; row < last; ++row, at += row_bytes_) {
      std::uint64_t bits = 0;
      std::memcpy(&bits, at, length);
      bits = __builtin_bswap64(bits);
      if ((bits & 0x00FFFFFFFFFFFFFFu) == 0 && bits != 0) {
        const auto code = static_cast<unsigned char>(bits >> 56);
        if (is_missing_code(code)) {
          column.numbers[row] = missing_number;
          if (code != '.' || !column.missing.empty()) column.set_reason(row, char(code));
        } else {
          column.numbers[row] = 0;
          if (code != 0x80)  // a zero with a sign is a zero
            bad_cell(v, row, fmt::format("the byte {:02X} and zeros are neither a number nor a missing value", code));
        }
        continue;
      }
      const FromIbm number = from_ibm(bits);
      column.numbers[row] = number.value;
      if (!number.exact && ++counts_[v].rounded == 1) counts_[v].first_rounded = row + 1;
    }
  }

  void read_texts(std::string_view data, std::size_t v, std::size_t first, std::size_t last) {
    ExchangeColumn& column = table_.columns[v];
    const auto [length, position] = variables_[v];
    for (std::size_t row = first; row < last; ++row) {
      const std::string_view text = without_blanks(data.substr(row * row_bytes_ + position, length));
      if (is_ascii(text)) {
        column.texts.push_back(text);
      } else if (auto utf8 = decoded(text)) {
        column.texts.push_back(*utf8);
      } else {
        column.texts.push_back({});
        bad_cell(v, row, fmt::format("the text is not {}", encoding_ == Encoding::utf8 ? "UTF-8" : "of the encoding"),
                 encoding_hint);
      }
    }
  }

  void finish(std::size_t v) {
    ExchangeColumn& column = table_.columns[v];
    Counts const& counts = counts_[v];
    if (counts.bad > shown)
      add_problem(problems_, {.file = file_, .field = column.name}, Code::bad_cell, "and {} more cells of this column",
                  counts.bad - shown);
    if (counts.rounded > 0)
      table_.losses.push_back({true, column.name, "numbers have more than 53 significant bits, and are rounded to doubles",
                               counts.rounded, counts.first_rounded});
    if (!column.missing.empty()) column.missing.resize(table_.rows, present);
    if (column.numeric) infer_type(column);
  }

  std::string_view bytes_;
  std::string const& file_;
  Encoding encoding_;
  Problems problems_;
  std::vector<ExchangeTable> tables_;
  ExchangeTable table_;
  SasOrigin library_;
  Losses library_losses_;
  std::vector<Variable> variables_;
  std::vector<Counts> counts_;
  std::size_t at_ = 0, namestr_ = 140, row_bytes_ = 0;
  bool stopped_ = false;
};

}  // namespace

Checked<std::vector<ExchangeTable>> read_xpt(std::string_view bytes, std::string const& file, Encoding encoding) {
  return XptReader(bytes, file, encoding).read();
}

}  // namespace equipoise::data
