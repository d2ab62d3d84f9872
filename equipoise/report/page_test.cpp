#include "equipoise/report/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "equipoise/report/cgd_fixture.h"

namespace equipoise::reporting {
namespace {

/// EQUIPOISE_REPORT_OUT=FOLDER writes the pages of these tests there, to be looked at.
void keep(std::string const& name, std::string const& page) {
  if (const char* folder = std::getenv("EQUIPOISE_REPORT_OUT")) std::ofstream(std::string(folder) + "/" + name + ".html", std::ios::binary) << page;
}

TEST(Page, SameDocumentsGiveTheSameBytes) {
  const std::string page = html(fixture::cgd_protocol(), fixture::cgd_results());
  keep("cgd", page);
  EXPECT_EQ(page, html(fixture::cgd_protocol(), fixture::cgd_results()));
}

}  // namespace
}  // namespace equipoise::reporting
