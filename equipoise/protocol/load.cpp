#include "equipoise/protocol/load.h"

#include "equipoise/core/digest.h"
#include "equipoise/protocol/reader.h"
#include "equipoise/protocol/toml.h"

namespace equipoise::protocol {

Loaded load_all(std::string_view bytes, std::string const& file) {
  Reader reader;
  reader.protocol.file = file;
  if (bytes.size() > longest_protocol) {
    add_problem(reader.problems, {.file = file}, Code::out_of_range, "the protocol has {} bytes; at most {} are read",
                bytes.size(), longest_protocol);
    return {std::move(reader.protocol), std::move(reader.problems), {}, false};
  }
  Checked<Node> document = read_toml(bytes, file);
  if (!document) return {std::move(reader.protocol), document.error(), {}, false};

  Section root(*document, "the protocol", reader.problems);
  root.need("format");
  if (const auto format = root.integer("format"); format && *format != 1)
    root.report_at("format", Code::out_of_range, "format {} is not known to this build, which reads format 1", *format);
  read_trial(reader, root);
  read_schedule(reader, root);
  read_rules(reader, root);
  read_questions(reader, root);
  read_plan(reader, root);
  read_source(reader, root);
  check_handling(reader);
  root.finish();

  reader.protocol.canonical = canonical(*document);
  reader.protocol.digest = sha256(reader.protocol.canonical);
  sort_in_file_order(reader.problems);
  return {std::move(reader.protocol), std::move(reader.problems), std::move(*document), true};
}

Checked<Protocol> load(std::string_view bytes, std::string const& file) {
  Loaded loaded = load_all(bytes, file);
  if (!loaded.problems.empty()) return fail(std::move(loaded.problems));
  return std::move(loaded.protocol);
}

}  // namespace equipoise::protocol
