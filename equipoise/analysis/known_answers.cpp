#include "equipoise/analysis/known_answers.h"

#include <span>

#include "equipoise/core/text.h"

/// Defined in assembler that the build writes (cmake/known_answers.cmake).
extern "C" {
struct EquipoiseKnownAnswerTable {
  const char* name;
  const char* begin;
  const char* end;
};
extern const char equipoise_known_answer_cases[];
extern const char equipoise_known_answer_cases_end[];
extern const EquipoiseKnownAnswerTable equipoise_known_answer_tables[];
extern const EquipoiseKnownAnswerTable equipoise_known_answer_tables_end[];
}

namespace equipoise::analysis {
namespace {

std::span<const EquipoiseKnownAnswerTable> tables() { return {equipoise_known_answer_tables, equipoise_known_answer_tables_end}; }

}  // namespace

std::string_view known_answer_cases() {
  return {equipoise_known_answer_cases, std::size_t(equipoise_known_answer_cases_end - equipoise_known_answer_cases)};
}

std::vector<std::string> known_answer_files() {
  std::vector<std::string> names;
  for (EquipoiseKnownAnswerTable const& table : tables()) names.emplace_back(table.name);
  return names;
}

Expected<std::string> known_answer_data(std::string_view name) {
  for (EquipoiseKnownAnswerTable const& table : tables())
    if (name == table.name) return std::string(table.begin, table.end);
  const std::vector<std::string> names = known_answer_files();
  return fail(Code::unresolved, "no known answer has data named '{}'; there are {}", name, join(names, ", "));
}

}  // namespace equipoise::analysis
