#include <algorithm>
#include <map>
#include <set>

#include "equipoise/core/text.h"
#include "equipoise/data/formats/dataset_json.h"
#include "equipoise/data/formats/sas_time.h"

namespace equipoise::data {
namespace {

const std::vector<std::string> set_keys{"datasetJSONCreationDateTime",
                                        "datasetJSONVersion",
                                        "fileOID",
                                        "dbLastModifiedDateTime",
                                        "originator",
                                        "sourceSystem",
                                        "studyOID",
                                        "metaDataVersionOID",
                                        "metaDataRef",
                                        "itemGroupOID",
                                        "records",
                                        "name",
                                        "label",
                                        "columns",
                                        "rows"};
const std::vector<std::string> column_keys{"itemOID",        "name",   "label",         "dataType",
                                           "targetDataType", "length", "displayFormat", "keySequence"};

constexpr std::string_view standard_version = "1.1.0";
std::string group_oid(ExchangeTable const& table) { return "IG." + table.name; }
std::string column_oid(ExchangeTable const& table, ExchangeColumn const& column) {
  return "IT." + table.name + "." + column.name;
}

/// YYYY-MM-DDThh:mm, and seconds, a fraction and a zone if there are.
bool is_date_time(std::string_view text) {
  if (text.size() < 16) return false;
  const bool seconds = text.size() > 16 && text[16] == ':';
  const std::string whole = std::string(text.substr(0, 16)) + (seconds ? std::string(text.substr(16, 3)) : ":00");
  if (!from_iso(SasKind::datetime, whole)) return false;
  std::string_view rest = text.substr(seconds ? 19 : 16);
  if (rest.starts_with('.')) {
    const std::size_t end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
    if (end < 2) return false;
    rest.remove_prefix(end);
  }
  if (rest.empty() || rest == "Z") return true;
  return rest.size() == 6 && (rest[0] == '+' || rest[0] == '-') && from_iso(SasKind::time, std::string(rest.substr(1)) + ":00");
}

class MetadataReader {
 public:
  MetadataReader(JsonCursor& cursor, std::string const& file, JsonMetadata& into, Problems& problems,
                 MetadataExtension* extension)
      : cursor_(cursor), file_(file), into_(into), problems_(problems), extension_(extension) {}

  bool read() {
    const std::size_t begin = cursor_.position();
    std::set<std::string> seen;
    const bool whole = cursor_.object([&](std::string const& key) {
      place_ = cursor_.position();
      if (!seen.insert(key).second) return refuse(Code::duplicate, "the key '{}' is given twice", key), cursor_.skip();
      return read_member(key);
    });
    if (!whole) return false;
    place_ = begin;
    for (const std::string_view needed :
         {"datasetJSONCreationDateTime", "datasetJSONVersion", "itemGroupOID", "records", "name", "label", "columns"})
      if (!seen.contains(std::string(needed)))
        refuse(Code::missing_key, "the data set lacks '{}', which Dataset-JSON asks for", needed);
    forget_derived();
    return true;
  }

 private:
  /// What the writer would say by itself is not kept: a table of a format without OIDs is equal to its copy in Dataset-JSON.
  void forget_derived() {
    ExchangeTable& table = into_.table;
    std::size_t empty = table.study.item_group_oid.empty() ? 1 : 0;
    if (table.created == no_time) table.created.clear();
    if (table.study.standard_version == standard_version) table.study.standard_version.clear();
    if (table.study.item_group_oid == group_oid(table)) table.study.item_group_oid.clear();
    for (ExchangeColumn& column : table.columns) {
      if (column.item_oid.empty()) ++empty;
      if (column.item_oid == column_oid(table, column)) column.item_oid.clear();
    }
    if (empty > 0)
      table.losses.push_back({.what = fmt::format("OIDs are empty ({}); they are written as made of the names", empty)});
  }

  template <class... Args>
  Error& refuse(Code code, fmt::format_string<Args...> text, Args&&... args) {
    const auto [line, column] = cursor_.line_and_column(place_);
    return add_problem(problems_, {.file = file_, .line = line, .column = column}, code, text, std::forward<Args>(args)...);
  }

  bool text(std::string const& key, std::string& into) {
    if (cursor_.peek() != JsonCursor::Kind::string) {
      refuse(Code::wrong_type, "'{}' must be a text", key);
      return cursor_.skip();
    }
    std::string_view got;
    if (!cursor_.string(got)) return false;
    into = got;
    return true;
  }

  /// A label; files in use have an empty list where there is none.
  bool label(std::string const& key, std::string& into) {
    if (cursor_.peek() == JsonCursor::Kind::array) {
      const std::size_t begin = cursor_.position();
      if (cursor_.take('[') && cursor_.take(']')) {
        into_.table.losses.push_back({.what = "the label is an empty list, and was taken as no label"});
        return true;
      }
      if (cursor_.failed()) return false;
      cursor_.go_to(begin);
    }
    return text(key, into);
  }

  bool date_time(std::string const& key, std::string& into) {
    const std::size_t before = problems_.size();
    if (!text(key, into)) return false;
    if (problems_.size() == before && !is_date_time(into))
      refuse(Code::syntax, "'{}' must be a date and time YYYY-MM-DDThh:mm:ss", key);
    return true;
  }

  bool whole_number(std::string const& key, int least, std::optional<std::size_t>& into) {
    std::string_view got;
    if (cursor_.peek() != JsonCursor::Kind::number) {
      refuse(Code::wrong_type, "'{}' must be a whole number", key);
      return cursor_.skip();
    }
    if (!cursor_.number(got)) return false;
    const auto value = to_number(got);
    if (!value || *value != double(std::int64_t(*value > 2e9 || *value < 0 ? -1 : *value)) || *value < least)
      refuse(Code::out_of_range, "'{}' must be a whole number from {} to 2000000000", key, least);
    else into = std::size_t(*value);
    return true;
  }

  bool read_member(std::string const& key) {
    ExchangeTable& table = into_.table;
    StudyOrigin& study = table.study;
    if (key == "datasetJSONCreationDateTime") return date_time(key, table.created);
    if (key == "datasetJSONVersion") return version(key, study.standard_version);
    if (key == "fileOID") return text(key, study.file_oid);
    if (key == "dbLastModifiedDateTime") return date_time(key, table.modified);
    if (key == "originator") return text(key, study.originator);
    if (key == "sourceSystem") return source_system(study);
    if (key == "studyOID") return text(key, study.study_oid);
    if (key == "metaDataVersionOID") return text(key, study.metadata_version_oid);
    if (key == "metaDataRef") return text(key, study.metadata_ref);
    if (key == "itemGroupOID") return text(key, study.item_group_oid);
    if (key == "records") return whole_number(key, 0, into_.records);
    if (key == "name") return text(key, table.name);
    if (key == "label") return label(key, table.label);
    if (key == "columns") return read_columns();
    if (key == "rows") {
      (void)cursor_.peek();
      into_.rows_at = cursor_.position();
      if (extension_ && problems_.empty() && !table.columns.empty() && extension_->rows(cursor_, into_)) return !cursor_.failed();
      return cursor_.skip();
    }
    if (extension_ && extension_->key(cursor_, key, into_, {})) return !cursor_.failed();
    unknown(key, set_keys, "Dataset-JSON");
    return cursor_.skip();
  }

  void unknown(std::string const& key, std::vector<std::string> const& known, std::string_view of) {
    Error& error = refuse(Code::unknown_key, "{} has no key '{}'", of, key);
    if (const auto near = nearest(key, known)) error.hint = fmt::format("did you mean '{}'?", *near);
  }

  bool version(std::string const& key, std::string& into) {
    const std::size_t before = problems_.size();
    if (!text(key, into)) return false;
    const bool known = into == "1.1" || (into.starts_with("1.1.") && into.size() > 4 &&
                                         into.find_first_not_of("0123456789", 4) == std::string::npos);
    if (problems_.size() == before && !known)
      refuse(Code::not_available, "Dataset-JSON {} is not read", into).hint = "this build reads Dataset-JSON 1.1";
    return true;
  }

  bool source_system(StudyOrigin& study) {
    if (cursor_.peek() != JsonCursor::Kind::object) {
      refuse(Code::wrong_type, "'sourceSystem' must be an object with 'name' and 'version'");
      return cursor_.skip();
    }
    std::pair<std::string, std::string> system;
    std::set<std::string> seen;
    const bool whole = cursor_.object([&](std::string const& key) {
      if (!seen.insert(key).second) refuse(Code::duplicate, "the key '{}' of 'sourceSystem' is given twice", key);
      if (key == "name") return text(key, system.first);
      if (key == "version") return text(key, system.second);
      unknown(key, {"name", "version"}, "'sourceSystem'");
      return cursor_.skip();
    });
    if (!whole) return false;
    if (!seen.contains("name") || !seen.contains("version"))
      refuse(Code::missing_key, "'sourceSystem' must have 'name' and 'version'");
    study.source_system = std::move(system);
    return true;
  }

  bool read_columns() {
    if (cursor_.peek() != JsonCursor::Kind::array) {
      refuse(Code::wrong_type, "'columns' must be a list");
      return cursor_.skip();
    }
    std::map<std::string, std::size_t> names;
    return cursor_.array([&] {
      (void)cursor_.peek();
      place_ = cursor_.position();
      const std::size_t number = into_.table.columns.size() + 1;
      if (number > 100'000) return cursor_.fail("there are more than 100000 columns");
      if (cursor_.peek() != JsonCursor::Kind::object) {
        refuse(Code::wrong_type, "column {} must be an object", number);
        return cursor_.skip();
      }
      into_.table.columns.emplace_back();
      if (!read_column(number)) return false;
      ExchangeColumn const& column = into_.table.columns.back();
      const auto [other, fresh] = names.emplace(column.name, number);
      if (!fresh && !column.name.empty())
        refuse(Code::duplicate, "columns {} and {} are both named '{}'", other->second, number, column.name);
      return true;
    });
  }

  bool read_column(std::size_t number) {
    std::set<std::string> seen;
    const bool whole = cursor_.object([&](std::string const& key) {
      ExchangeColumn& column = into_.table.columns.back();
      place_ = cursor_.position();
      if (!seen.insert(key).second)
        return refuse(Code::duplicate, "the key '{}' of column {} is given twice", key, number), cursor_.skip();
      std::string word;
      std::optional<std::size_t> count;
      if (key == "itemOID") return text(key, column.item_oid);
      if (key == "name") return text(key, column.name);
      if (key == "label") return label(key, column.label);
      if (key == "displayFormat") return text(key, column.format);
      if (key == "dataType") {
        if (!text(key, word)) return false;
        if (const auto type = data_type(word)) column.type = *type;
        else
          refuse(Code::unknown_keyword, "column {}: '{}' is no dataType", number, word).hint =
              "known: string, integer, decimal, float, double, boolean, datetime, date, time, URI";
        return true;
      }
      if (key == "targetDataType") {
        if (!text(key, word)) return false;
        if (word == "integer") column.target = TargetType::integer;
        else if (word == "decimal") column.target = TargetType::decimal;
        else refuse(Code::unknown_keyword, "column {}: targetDataType must be integer or decimal, not '{}'", number, word);
        return true;
      }
      if (key == "length") {
        if (!whole_number(key, 1, count)) return false;
        column.length = int(count.value_or(0));
        return true;
      }
      if (key == "keySequence") {
        if (!whole_number(key, 1, count)) return false;
        column.key_sequence = int(count.value_or(0));
        return true;
      }
      if (extension_ && extension_->key(cursor_, key, into_, number - 1)) return !cursor_.failed();
      unknown(key, column_keys, "a column");
      return cursor_.skip();
    });
    if (!whole) return false;
    for (const std::string_view needed : {"itemOID", "name", "label", "dataType"})
      if (!seen.contains(std::string(needed)))
        refuse(Code::missing_key, "column {} lacks '{}', which Dataset-JSON asks for", number, needed);
    if (seen.contains("name") && into_.table.columns.back().name.empty())
      refuse(Code::syntax, "column {} has an empty name", number);
    return true;
  }

  JsonCursor& cursor_;
  std::string const& file_;
  JsonMetadata& into_;
  Problems& problems_;
  MetadataExtension* extension_;
  std::size_t place_ = 0;
};

void member(std::string& out, std::string_view key, std::string_view value, std::string_view between) {
  if (value.empty()) return;
  out += between;
  append_json_string(out, key);
  out += ':';
  append_json_string(out, value);
}

}  // namespace

bool read_json_metadata(JsonCursor& cursor, std::string const& file, JsonMetadata& into, Problems& problems,
                        MetadataExtension* extension) {
  return MetadataReader(cursor, file, into, problems, extension).read();
}

void append_json_header(std::string& out, ExchangeTable const& table, std::string_view between) {
  StudyOrigin const& study = table.study;
  const std::string_view first = between.substr(1);  // without its comma
  out += '{';
  member(out, "datasetJSONCreationDateTime", table.created.empty() ? no_time : std::string_view(table.created), first);
  member(out, "datasetJSONVersion", study.standard_version.empty() ? standard_version : std::string_view(study.standard_version),
         between);
  member(out, "fileOID", study.file_oid, between);
  member(out, "dbLastModifiedDateTime", table.modified, between);
  member(out, "originator", study.originator, between);
  if (study.source_system) {
    out += between;
    out += "\"sourceSystem\":{\"name\":";
    append_json_string(out, study.source_system->first);
    out += ",\"version\":";
    append_json_string(out, study.source_system->second);
    out += '}';
  }
  member(out, "studyOID", study.study_oid, between);
  member(out, "metaDataVersionOID", study.metadata_version_oid, between);
  member(out, "metaDataRef", study.metadata_ref, between);
  out += between;
  out += "\"itemGroupOID\":";
  append_json_string(out, study.item_group_oid.empty() ? group_oid(table) : study.item_group_oid);
  out += between;
  out += fmt::format("\"records\":{}", table.rows);
  out += between;
  out += "\"name\":";
  append_json_string(out, table.name);
  out += between;
  out += "\"label\":";
  append_json_string(out, table.label);
}

void append_json_column(std::string& out, ExchangeTable const& table, ExchangeColumn const& column, std::string_view between) {
  out += "{\"itemOID\":";
  append_json_string(out, column.item_oid.empty() ? column_oid(table, column) : column.item_oid);
  out += between;
  out += "\"name\":";
  append_json_string(out, column.name);
  out += between;
  out += "\"label\":";
  append_json_string(out, column.label);
  member(out, "dataType", word(column.type), between);
  if (column.target != TargetType::none)
    member(out, "targetDataType", column.target == TargetType::integer ? "integer" : "decimal", between);
  if (column.length > 0) out += fmt::format("{}\"length\":{}", between, column.length);
  member(out, "displayFormat", column.format, between);
  if (column.key_sequence > 0) out += fmt::format("{}\"keySequence\":{}", between, column.key_sequence);
}

}  // namespace equipoise::data
