#include "equipoise/report/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "equipoise/report/variants.h"

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

TEST(Page, Pages) {
  protocol::Protocol p;
  results::Results r;
  fixture::dose_trial(2, p, r);
  keep("doses", html(p, r));
  keep("doses-zh", html(p, r, {.language = "zh"}));
  fixture::dose_trial(5, p, r, true);
  keep("long", html(p, r));
}

}  // namespace
}  // namespace equipoise::reporting
