#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "equipoise/core/text.h"
#include "equipoise/data/formats/encoding.h"
#include "equipoise/data/formats/ibm_float.h"
#include "equipoise/data/formats/sas_time.h"
#include "equipoise/data/formats/xpt.h"
#include "equipoise/data/formats/xpt_layout.h"

namespace equipoise::data {
namespace {

using namespace xpt;

constexpr std::string_view default_version = "9.4", default_system = "LINUX";

std::string padded(std::string_view text, std::size_t length) {
  std::string out(text.substr(0, length));
  out.resize(length, ' ');
  return out;
}

void append_two(std::string& out, std::size_t value) {
  out += char(value >> 8 & 0xFF);
  out += char(value & 0xFF);
}

/// How a column is written.
struct Plan {
  std::string name, label;
  SasFormat format, informat;
  bool numeric = false;
  std::size_t length = 8, position = 0;
  std::vector<double> converted{};  ///< of decimals held as text
};

class XptWriter {
 public:
  Checked<XptWritten> write(std::vector<ExchangeTable> const& tables) {
    if (tables.empty()) add_problem(problems_, {}, Code::no_data, "there is no data set to write");
    for (ExchangeTable const& table : tables) {
      if (table.columns.empty()) add_problem(problems_, {}, Code::no_data, "data set '{}' has no variables", table.name);
      if (table.columns.size() > most_variables)
        add_problem(problems_, {}, Code::out_of_range, "data set '{}' has {} variables, and a SAS transport file takes {}",
                    table.name, table.columns.size(), most_variables);
    }
    if (!problems_.empty()) return fail(std::move(problems_));
    write_library(tables.front());
    std::set<std::string> names;
    for (ExchangeTable const& table : tables) write_member(table, names);
    if (!problems_.empty()) return fail(std::move(problems_));
    return std::move(written_);
  }

 private:
  void lose(bool changes, std::string column, std::string what, std::size_t cells = 0, std::size_t first = 0) {
    written_.losses.push_back({changes, std::move(column), std::move(what), cells, first});
  }

  std::string sas_time(std::string const& iso, std::string_view what) {
    std::string text = iso.empty() ? std::string(no_time) : iso;
    if (auto time = time_to_sas(text)) {
      if (text.size() > 19)
        lose(false, {}, fmt::format("the time of the {}, {}, is written to the second, without its zone", what, iso));
      return std::move(*time);
    }
    lose(false, {}, fmt::format("the time of the {}, '{}', is none of 1960 to 2059; {} is written", what, iso, no_time));
    return *time_to_sas(no_time);
  }

  /// The last change of a data set that is not of SAS: when it was made, unless it says otherwise.
  std::string changed(ExchangeTable const& table, std::string const& created) {
    return table.modified.empty() ? created : sas_time(table.modified, "last change of the data set");
  }

  /// A text of at most `most` bytes in ASCII; what is over is cut and told.
  std::string fitted(std::string const& text, std::size_t most, std::string const& column, std::string_view what) {
    if (!is_ascii(text)) lose(true, column, fmt::format("the {} has characters beyond ASCII, which are written as UTF-8", what));
    std::string_view kept = whole_characters(text, most);
    if (kept.size() < text.size())
      lose(true, column, fmt::format("the {} has {} bytes, and was cut to {}", what, text.size(), kept.size()));
    else if (kept.ends_with(' ')) lose(false, column, fmt::format("blanks at the end of the {} are not kept", what));
    return std::string(kept);
  }

  std::string fitted_name(std::string const& name, std::string const& column, std::string_view what,
                          std::set<std::string>& taken) {
    std::string made = fitted(name, longest_name, column, what);
    const std::string whole = made.empty() ? "X" : made;
    made = whole;
    for (int i = 1; taken.contains(made); ++i) {
      const std::string number = std::to_string(i);
      made = std::string(whole_characters(whole, longest_name - number.size())) + number;
    }
    if (made != whole || name.empty()) lose(true, column, fmt::format("the {} is written as '{}'", what, made));
    taken.insert(made);
    return made;
  }

  void origin(SasOrigin const& from, std::string_view kind, std::string_view name, std::string_view created) {
    written_.bytes += padded("SAS", 8) + padded(name, 8) + padded(kind, 8);
    const auto word = [&](std::string const& given, std::string_view otherwise, std::string_view what) {
      if (given == " ") return std::string(8, ' ');  // as it was read
      return padded(given.empty() ? std::string(otherwise) : fitted(given, 8, {}, what), 8);
    };
    written_.bytes += word(from.version, default_version, "version of SAS");
    written_.bytes += word(from.system, default_system, "name of the operating system") + std::string(24, ' ');
    written_.bytes += created;
  }

  void write_library(ExchangeTable const& first) {
    SasOrigin const& library = first.library;
    written_.bytes += std::string(library_header) + std::string(30, '0') + "  ";
    const bool of_sas = library != SasOrigin{};
    const std::string created = sas_time(of_sas ? library.created : first.created, "making of the library");
    origin(library, "SASLIB", "SAS", created);
    written_.bytes += padded(of_sas ? sas_time(library.modified, "last change of the library") : changed(first, created), record);
  }

  void write_member(ExchangeTable const& table, std::set<std::string>& names) {
    std::string& out = written_.bytes;
    not_kept(table);
    plan(table);
    out += std::string(member_header) + "000000000000000001600000000140  ";
    out += std::string(descriptor_header) + std::string(30, '0') + "  ";
    const std::string created = sas_time(table.created, "making of the data set");
    origin(table.member, "SASDATA", fitted_name(table.name, {}, fmt::format("name of data set '{}'", table.name), names),
           created);
    out += padded(table.member == SasOrigin{} ? changed(table, created) : sas_time(table.modified, "last change of the data set"),
                  32);
    out += padded(fitted(table.label, longest_label, {}, "label of the data set"), 40);
    out += padded(fitted(table.set_type, 8, {}, "type of the data set"), 8);
    out += std::string(namestr_header) + "000000" + fmt::format("{:04}", table.columns.size()) + std::string(20, '0') + "  ";
    for (std::size_t v = 0; v < plans_.size(); ++v) write_variable(v, table.columns[v].right_justified);
    pad();
    out += std::string(observation_header) + std::string(30, '0') + "  ";
    write_rows(table);
  }

  /// Attributes that SAS transport files have no place for.
  void not_kept(ExchangeTable const& table) {
    std::vector<std::string> what;
    StudyOrigin const& study = table.study;
    if (!study.study_oid.empty() || !study.item_group_oid.empty() || !study.file_oid.empty() ||
        !study.metadata_version_oid.empty())
      what.emplace_back("the OIDs of file, study and data set");
    if (!study.metadata_ref.empty()) what.emplace_back("the reference to the metadata");
    if (!study.originator.empty() || study.source_system) what.emplace_back("originator and source system");
    const auto any = [&](auto has) { return std::ranges::any_of(table.columns, has); };
    if (any([](ExchangeColumn const& c) { return !c.item_oid.empty(); })) what.emplace_back("the OIDs of variables");
    if (any([](ExchangeColumn const& c) { return c.key_sequence > 0; })) what.emplace_back("which variables are keys");
    if (any([](ExchangeColumn const& c) { return c.numeric && c.length > 0; }))
      what.emplace_back("the declared lengths of numbers");
    if (!what.empty()) lose(false, {}, fmt::format("SAS transport files have no place for {}", join(what, ", ")));
  }

  SasFormat format_of(std::string const& text, std::string const& column, std::string_view what) {
    const auto format = sas_format(text);
    if (format && is_ascii(format->name)) return *format;
    lose(true, column, fmt::format("the {} '{}' is none of SAS, and was left out", what, text));
    return {};
  }

  void plan(ExchangeTable const& table) {
    plans_.clear();
    std::set<std::string> taken;
    for (ExchangeColumn const& column : table.columns)
      if (column.name.size() <= longest_name && is_ascii(column.name)) taken.insert(column.name);  // whole names have precedence
    std::size_t position = 0;
    for (ExchangeColumn const& column : table.columns) {
      Plan made;
      if (taken.contains(column.name)) made.name = column.name;
      else made.name = fitted_name(column.name, column.name, "name", taken);
      made.label = fitted(column.label, longest_label, column.name, "label");
      made.format = format_of(column.format, column.name, "format");
      made.informat = format_of(column.informat, column.name, "informat");
      made.numeric = column.numeric;
      if (column.numeric) made.length = std::size_t(std::clamp(column.bytes, 2, 8));
      else if (column.type == DataType::decimal && column.target == TargetType::decimal) convert(column, made);
      if (made.numeric && made.format == SasFormat{} && column.target != TargetType::none)
        made.format = usual_format(column.type);
      if (!made.numeric) measure(column, made);
      made.position = position;
      position += made.length;
      plans_.push_back(std::move(made));
    }
    row_bytes_ = position;
  }

  /// Without a format nobody would know that a number is a date.
  static SasFormat usual_format(DataType type) {
    if (type == DataType::date) return {"DATE", 9, 0};
    if (type == DataType::datetime) return {"DATETIME", 20, 0};
    if (type == DataType::time) return {"TIME", 8, 0};
    return {};
  }

  /// Decimals that are to be numbers in SAS.
  void convert(ExchangeColumn const& column, Plan& made) {
    std::size_t changed = 0, first = 0;
    made.numeric = true;
    made.converted.reserve(column.size());
    for (std::size_t row = 0; row < column.size(); ++row) {
      const std::string_view text = column.texts[row];
      const bool there = column.reason(row) == present && !text.empty();
      const auto number = there ? to_number(text) : std::nullopt;
      made.converted.push_back(number.value_or(missing_number));
      const auto digits = std::ranges::count_if(text, [](char c) { return c >= '0' && c <= '9'; });
      if (there && (!number || digits > 15) && ++changed == 1) first = row + 1;
    }
    if (changed > 0)
      lose(true, column.name, "decimals have more than 15 digits, or are none, and were written as far as a double holds them",
           changed, first);
  }

  void measure(ExchangeColumn const& column, Plan& made) {
    std::size_t longest = 1, cut = 0, first_cut = 0, foreign = 0, first_foreign = 0, blanks = 0, first_blank = 0, nulls = 0;
    for (std::size_t row = 0; row < column.size(); ++row) {
      const std::string_view text = column.texts[row];
      longest = std::max(longest, text.size());
      if (text.size() > longest_text && ++cut == 1) first_cut = row + 1;
      if (!is_ascii(text) && ++foreign == 1) first_foreign = row + 1;
      if (text.ends_with(' ') && ++blanks == 1) first_blank = row + 1;
      if (!column.missing.empty() && column.missing[row] != present) ++nulls;
    }
    if (cut > 0)
      lose(true, column.name, fmt::format("texts are longer than {} bytes, and were cut", longest_text), cut, first_cut);
    if (foreign > 0)
      lose(true, column.name,
           "texts have characters beyond ASCII, which are written as UTF-8: other programs may take them for others", foreign,
           first_foreign);
    if (blanks > 0) lose(false, column.name, "blanks at the end of texts are not kept", blanks, first_blank);
    if (nulls > 0) lose(false, column.name, "what is null becomes blank, as SAS has one missing text", nulls);
    const auto declared = std::size_t(std::max(column.length, 0));
    if (declared > longest_text)
      lose(false, column.name, fmt::format("the declared length {} is written as {}", declared, std::min(longest_text, longest)));
    else if (declared > 0 && longest > declared)
      lose(false, column.name,
           fmt::format("the declared length {} is written as {}, the bytes of the longest text", declared,
                       std::min(longest_text, longest)));
    made.length = declared >= longest && declared <= longest_text ? declared : std::min(longest, longest_text);
  }

  void write_variable(std::size_t v, bool right_justified) {
    Plan const& plan = plans_[v];
    std::string& out = written_.bytes;
    const std::size_t begin = out.size();
    append_two(out, plan.numeric ? 1 : 2);
    append_two(out, 0);  // a hash of the name, always 0
    append_two(out, plan.length);
    append_two(out, v + 1);
    out += padded(plan.name, 8) + padded(plan.label, 40) + padded(plan.format.name, 8);
    append_two(out, std::size_t(plan.format.width));
    append_two(out, std::size_t(plan.format.decimals));
    append_two(out, right_justified ? 1 : 0);
    append_two(out, 0);
    out += padded(plan.informat.name, 8);
    append_two(out, std::size_t(plan.informat.width));
    append_two(out, std::size_t(plan.informat.decimals));
    append_two(out, plan.position >> 16);
    append_two(out, plan.position);
    out.append(begin + 140 - out.size(), '\0');
  }

  void pad() { written_.bytes.append((record - written_.bytes.size() % record) % record, ' '); }

  void write_rows(ExchangeTable const& table) {
    std::string& out = written_.bytes;
    const std::size_t begin = out.size();
    const std::size_t data = table.rows * row_bytes_;
    out.resize(begin + (data + record - 1) / record * record, ' ');
    const std::size_t block = std::max<std::size_t>(1, 65536 / row_bytes_);
    std::vector<Bad> bad(plans_.size());
    for (std::size_t first = 0; first < table.rows; first += block) {
      const std::size_t last = std::min(table.rows, first + block);
      for (std::size_t v = 0; v < plans_.size(); ++v)
        if (plans_[v].numeric) write_numbers(table.columns[v], plans_[v], first, last, out.data() + begin, bad[v]);
        else write_texts(table.columns[v], plans_[v], first, last, out.data() + begin);
    }
    for (std::size_t v = 0; v < plans_.size(); ++v) {
      std::string const& name = table.columns[v].name;
      if (bad[v].cut > 0)
        lose(true, name, fmt::format("numbers need more than the {} bytes of this variable, and lost digits", plans_[v].length),
             bad[v].cut, bad[v].first_cut);
      if (bad[v].beyond > 0)
        lose(true, name, "numbers are beyond 16^63 (about 7.2e75), and became missing", bad[v].beyond, bad[v].first_beyond);
      if (bad[v].tiny > 0)
        lose(true, name, "numbers are nearer to 0 than 16^-65 (about 5.4e-79), and became 0", bad[v].tiny, bad[v].first_tiny);
    }
    blank_rows(table, std::string_view(out).substr(begin));
    for (std::size_t at = begin; at < out.size(); at += record)
      if (std::memcmp(out.data() + at, member_header.data(), member_header.size()) == 0)
        add_problem(problems_, {}, Code::syntax,
                    "row {} of data set '{}' holds the text '{}' where readers look for the next data set",
                    (at - begin) / row_bytes_ + 1, table.name, member_header.substr(0, 28));
  }

  struct Bad {
    std::size_t cut = 0, first_cut = 0, beyond = 0, first_beyond = 0, tiny = 0, first_tiny = 0;
  };

  void write_numbers(ExchangeColumn const& column, Plan const& plan, std::size_t first, std::size_t last, char* data,
                     Bad& bad) const {
    std::vector<double> const& numbers = column.numeric ? column.numbers : plan.converted;
    const std::uint64_t kept = plan.length == 8 ? ~std::uint64_t(0) : ~(~std::uint64_t(0) >> 8 * plan.length);
    char* at = data + first * row_bytes_ + plan.position;
    for (std::size_t row = first; row < last; ++row, at += row_bytes_) {
      std::uint64_t bits = 0;
      if (std::isnan(numbers[row])) {
        const MissingCode code = column.numeric ? column.reason(row) : plain_missing;
        bits = std::uint64_t(static_cast<unsigned char>(code == present ? plain_missing : code)) << 56;
      } else if (const auto ibm = to_ibm(numbers[row])) {
        bits = *ibm & kept;
        if (bits != *ibm && ++bad.cut == 1) bad.first_cut = row + 1;
        if (is_shown_as_missing(bits)) bits = 0;  // all its digits were cut
      } else if (std::abs(numbers[row]) > 1) {
        bits = std::uint64_t(plain_missing) << 56;
        if (++bad.beyond == 1) bad.first_beyond = row + 1;
      } else if (++bad.tiny == 1) {
        bad.first_tiny = row + 1;
      }
      bits = __builtin_bswap64(bits);
      std::memcpy(at, &bits, plan.length);
    }
  }

  static bool is_shown_as_missing(std::uint64_t bits) { return (bits & 0x00FFFFFFFFFFFFFFu) == 0; }

  void write_texts(ExchangeColumn const& column, Plan const& plan, std::size_t first, std::size_t last, char* data) const {
    char* at = data + first * row_bytes_ + plan.position;  // blanks are there already
    for (std::size_t row = first; row < last; ++row, at += row_bytes_) {
      const std::string_view text = whole_characters(column.texts[row], plan.length);
      std::memcpy(at, text.data(), text.size());
    }
  }

  /// Rows that a reader takes for the padding of the last record.
  void blank_rows(ExchangeTable const& table, std::string_view data) {
    std::size_t rows = table.rows;
    while (rows > 0 && data.size() - (rows - 1) * row_bytes_ < record &&
           data.substr((rows - 1) * row_bytes_, row_bytes_).find_first_not_of(' ') == std::string_view::npos)
      --rows;
    if (rows < table.rows)
      lose(true, {},
           fmt::format("the last {} of data set '{}' hold nothing, and cannot be told from the padding of the file",
                       table.rows - rows == 1 ? "row" : fmt::format("{} rows", table.rows - rows), table.name));
  }

  XptWritten written_;
  Problems problems_;
  std::vector<Plan> plans_;
  std::size_t row_bytes_ = 0;
};

}  // namespace

Checked<XptWritten> write_xpt(std::vector<ExchangeTable> const& tables) { return XptWriter().write(tables); }

}  // namespace equipoise::data
