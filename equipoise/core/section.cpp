#include "equipoise/core/section.h"

#include "equipoise/core/section_record.h"

namespace equipoise {
namespace {

thread_local SectionRecord* record = nullptr;

}  // namespace

SectionRecord::SectionRecord() {
  expects(record == nullptr, "one SectionRecord at a time");
  record = this;
}
SectionRecord::~SectionRecord() { record = nullptr; }
SectionRecord* SectionRecord::current() { return record; }

bool Limits::contain(double value) const {
  if (min_excluded ? !(value > min) : !(value >= min)) return false;
  return max_excluded ? value < max : value <= max;
}

std::string Limits::sentence() const {
  const double infinity = std::numeric_limits<double>::infinity();
  std::string text;
  if (min != -infinity) text = (min_excluded ? "above " : "at least ") + shortest(min);
  if (max != infinity) text += (text.empty() ? "" : " and ") + std::string(max_excluded ? "below " : "at most ") + shortest(max);
  return text.empty() ? "finite" : text;
}

Section::Section(Node const& table, std::string name, Problems& problems)
    : table_(&table), name_(std::move(name)), problems_(&problems) {
  expects(table.table() != nullptr, "a Section reads a table");
}

bool Section::has(std::string_view key) const {
  if (record) record->note({.table = table_->place(), .key = std::string(key)});
  return table_->find(key) != nullptr;
}

Place Section::place_of(std::string_view key) const {
  const Node* value = table_->find(key);
  return value ? value->place() : table_->place();
}

Node const* Section::take(std::string_view key) {
  if (record) record->note({.table = table_->place(), .key = std::string(key)});
  asked_.emplace(key);
  return table_->find(key);
}

Node const* Section::need(std::string_view key) {
  const Node* value = take(key);
  if (record) record->note({.table = table_->place(), .key = std::string(key), .needed = true});
  if (!value) add_problem(*problems_, table_->place(), Code::missing_key, "{} needs the key '{}'", name_, key);
  return value;
}

void Section::report_type(Node const& value, std::string_view key, std::string_view wanted) {
  add_problem(*problems_, value.place(), Code::wrong_type, "'{}' in {} must be {}, and is {}", key, name_, wanted,
              value.type_name());
}

void Section::report_word(Node const& value, std::string_view key, std::span<const std::string> offered) {
  const std::string* got = value.text();
  if (record) record->note({.table = table_->place(), .key = std::string(key), .words = {offered.begin(), offered.end()}});
  if (!got) return report_type(value, key, "one of the words " + one_of(offered));
  Error& error = add_problem(*problems_, value.place(), Code::unknown_keyword, "'{}' in {} must be {}, and is '{}'", key, name_,
                             one_of(offered), *got);
  if (const auto near = nearest(*got, offered)) error.hint = fmt::format("did you mean '{}'?", *near);
}

std::optional<std::string> Section::text(std::string_view key) {
  const Node* value = take(key);
  if (!value) return {};
  if (const std::string* got = value->text()) return *got;
  report_type(*value, key, "text");
  return {};
}

std::optional<std::string> Section::filled_text(std::string_view key) {
  auto got = text(key);
  if (!got || !trimmed(*got).empty()) return got;
  report_at(key, Code::out_of_range, "'{}' in {} must not be empty", key, name_);
  return {};
}

std::optional<std::string> Section::need_text(std::string_view key) {
  if (!need(key)) return {};
  return filled_text(key);
}

std::optional<std::string> Section::id(std::string_view key, bool hyphens) {
  auto got = need_text(key);
  if (got && !is_id(*got, hyphens)) {
    report_at(key, Code::syntax, "the id '{}' must begin with a-z and go on with a-z, 0-9{}", *got,
              hyphens ? ", '_' or '-'" : " or '_'");
    return {};
  }
  return got;
}

std::optional<double> Section::checked(Node const& value, std::string_view key, Limits const& limits) {
  const auto got = value.number();
  if (record) record->note({.table = table_->place(), .key = std::string(key), .limits = limits});
  if (!got) {
    report_type(value, key, "a number");
    return {};
  }
  if (!limits.contain(*got)) {
    add_problem(*problems_, value.place(), Code::out_of_range, "'{}' in {} must be {}, and is {}", key, name_, limits.sentence(),
                shortest(*got));
    return {};
  }
  return got;
}

std::optional<double> Section::number(std::string_view key, Limits limits) {
  const Node* value = take(key);
  return value ? checked(*value, key, limits) : std::nullopt;
}

std::optional<double> Section::need_number(std::string_view key, Limits limits) {
  const Node* value = need(key);
  return value ? checked(*value, key, limits) : std::nullopt;
}

std::optional<std::int64_t> Section::integer(std::string_view key, Limits limits) {
  const Node* value = take(key);
  if (!value) return {};
  const auto got = value->integer();
  if (!got) {
    report_type(*value, key, "a whole number");
    return {};
  }
  return checked(*value, key, limits) ? got : std::nullopt;
}

std::optional<bool> Section::flag(std::string_view key) {
  const Node* value = take(key);
  if (!value) return {};
  if (const bool* got = value->boolean()) return *got;
  report_type(*value, key, "true or false");
  return {};
}

std::optional<std::vector<std::string>> Section::texts(std::string_view key) {
  const Node* value = take(key);
  if (!value) return {};
  const Node::Array* array = value->array();
  if (!array) {
    report_type(*value, key, "a list of texts");
    return {};
  }
  std::vector<std::string> got;
  for (Node const& element : *array)
    if (const std::string* text = element.text()) got.push_back(*text);
    else report_type(element, key, "a list of texts");
  return got.size() == array->size() ? std::optional(got) : std::nullopt;
}

std::optional<std::vector<double>> Section::numbers(std::string_view key, Limits limits) {
  const Node* value = take(key);
  if (!value) return {};
  const Node::Array* array = value->array();
  if (!array) {
    report_type(*value, key, "a list of numbers");
    return {};
  }
  std::vector<double> got;
  for (Node const& element : *array)
    if (const auto number = checked(element, key, limits)) got.push_back(*number);
  return got.size() == array->size() ? std::optional(got) : std::nullopt;
}

std::optional<Section> Section::table(std::string_view key, std::string name) {
  const Node* value = take(key);
  if (!value) return {};
  if (value->table()) return Section(*value, std::move(name), *problems_);
  report_type(*value, key, "a table");
  return {};
}

std::vector<Section> Section::tables(std::string_view key, std::string name) {
  std::vector<Section> got;
  const Node* value = take(key);
  if (!value) return got;
  const Node::Array* array = value->array();
  if (!array) {
    report_type(*value, key, "a list of tables");
    return got;
  }
  for (Node const& element : *array)
    if (element.table()) got.emplace_back(element, name, *problems_);
    else report_type(element, key, "a list of tables");
  return got;
}

void Section::finish() {
  for (Node::Member const& member : *table_->table()) {
    if (asked_.contains(member.key)) continue;
    Error& error = add_problem(*problems_, member.place, Code::unknown_key, "{} has no key '{}'", name_, member.key);
    const std::vector<std::string> known(asked_.begin(), asked_.end());
    if (const auto near = nearest(member.key, known)) error.hint = fmt::format("did you mean '{}'?", *near);
    else if (!known.empty()) error.hint = "its keys are " + one_of(known, "and");
  }
}

}  // namespace equipoise
