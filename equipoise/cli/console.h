#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "equipoise/core/expected.h"

namespace equipoise::cli {

/// Where commands put their answers. It owns exit statuses and the two forms of output: words, or one JSON object with --json.
class Console {
 public:
  bool json = false;
  bool quiet = false;

  /// Text for standard output (nothing with --quiet).
  void say(std::string_view text);
  /// The command's answer as JSON: printed only with --json.
  void answer(std::string_view json_text);
  /// Problems on standard error, or as JSON on standard output with --json; sets the exit status they ask for.
  void fail(Problems const& problems);
  void fail(Error const& error) { fail(Problems{error}); }
  /// Problems beside an answer that stands: on standard error, with their exit status; the answer is still printed.
  void warn(Problems const& problems);
  /// Warnings beside an answer: on standard error, each "file:line:column: warning: ..."; the exit status stays. With --json they
  /// are part of the answer, which the command makes with `json_list`.
  void caution(Problems const& warnings);
  void set_status(int status) { status_ = status; }
  int status() const { return status_; }

 private:
  int status_ = 0;
};

/// A text as a JSON string, quotes included; bytes that are not UTF-8 become U+FFFD.
std::string json_string(std::string_view text);
/// Problems or warnings as a JSON list of {code, message, file, line, column, field, hint}.
std::string json_list(Problems const& problems);

}  // namespace equipoise::cli
