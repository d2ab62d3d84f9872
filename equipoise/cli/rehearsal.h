#pragma once

#include <CLI/App.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "equipoise/cli/console.h"
#include "equipoise/simulate/campaign.h"
#include "equipoise/study/study.h"

/// What the commands that rehearse share.
namespace equipoise::cli {

/// The study of a protocol file with the analyses asked for (none: all that can be run), and the claims that they answer.
Checked<study::Study> rehearsed_study(std::string const& protocol, std::vector<std::string> const& analyses);

/// What every rehearsal is asked: in which scenarios, of which analyses, from which seed, by how many threads.
struct RehearsalArguments {
  simulate::Asked asked;
  std::vector<std::string> analyses;
  std::size_t threads = 0;

  std::size_t workers() const;  ///< threads, or as many as there are processors
};
void add_rehearsal_options(CLI::App& command, RehearsalArguments& arguments);

/// The files of parts that are named, and those in folders that are named; sorted by name.
Checked<std::vector<std::filesystem::path>> part_files(std::vector<std::string> const& named);

/// Reads the parts and puts them together; every problem of every file.
Problems gather(simulate::Campaign const& campaign, std::vector<std::filesystem::path> const& files, simulate::Overlap overlap,
                simulate::Part& whole);

/// Writes the document and the page to the folder (none: neither), and answers.
void conclude(study::Study const& study, simulate::Campaign const& campaign, simulate::Part const& part,
              std::string const& folder, Console& console);

}  // namespace equipoise::cli
