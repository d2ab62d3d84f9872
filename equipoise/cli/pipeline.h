#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/core/expected.h"
#include "equipoise/data/formats/csv.h"
#include "equipoise/data/trial_data.h"
#include "equipoise/results/results.h"
#include "equipoise/study/study.h"

/// What `analyse` and `report` share: a protocol and a data file become results.
namespace equipoise::cli {

struct Question {
  std::string protocol;               ///< file
  std::string data;                   ///< file; empty = the protocol's [source] file, beside the protocol
  std::optional<std::string> cutoff;  ///< data cut-off date, YYYY-MM-DD
  std::vector<std::string> analyses;  ///< ids; empty = all
};

struct Answered {
  study::Study study;
  results::Results results;
};

/// Keeps the analyses asked for (none: all); complains about ids that are none, and about methods that cannot be run.
Problems choose(study::Study& study, std::vector<std::string> const& wanted);

/// The records of a data file, and of the files joined to it, as the protocol's [source] says.
struct ReadData {
  data::TrialRecords records;
  std::string file, digest;         ///< path, and SHA-256 of its bytes
  std::vector<std::string> joined;  ///< a sentence for each file joined
};
/// Where a file stands that [source] joins to the data file: beside it.
std::string joined_path(std::string const& data_file, protocol::SourceJoin const& join);
/// `file` empty: that of [source], beside the protocol. Every problem at once, of each kind at most `shown` and how many more.
Checked<ReadData> read_data(protocol::Protocol const& protocol, std::string const& protocol_file, std::string file, std::size_t shown = 20);

/// Reads, checks and analyses. A method that this build does not carry is an error when it is to be run: name the analyses to run
/// to leave it out.
Checked<Answered> answer(Question const& question);

/// The headline of a trial in a few lines: counts, primary estimate, primary P.
std::string headline(Answered const& answered);

/// A primary analysis without an answer is worth an exit status, although everything that could be said has been written.
Problems unanswered(Answered const& answered);

/// On what the conclusions of the primary analyses depend: warnings, which change no exit status.
Problems dependences(Answered const& answered);

}  // namespace equipoise::cli
