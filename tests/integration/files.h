#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "equipoise/study/study.h"

/// Files of the repository, as the tests of this folder read them.
namespace equipoise {

inline std::string contents(std::string const& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path << ": tests run in the folder of the repository";
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

/// The study of a protocol's bytes; throws its first problem.
inline study::Study study_of(std::string const& bytes, std::string const& file) {
  auto study = study::load(bytes, file);
  if (!study) throw std::runtime_error(to_string(study.error().front()));
  return std::move(*study);
}
inline study::Study study_of(std::string const& path) { return study_of(contents(path), path); }

}  // namespace equipoise
