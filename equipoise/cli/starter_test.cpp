#include "equipoise/cli/starter.h"

#include <gtest/gtest.h>

#include "equipoise/study/study.h"

namespace equipoise::cli {
namespace {

std::string started(std::string const& csv) {
  const auto table = data::read_csv(csv, "d.csv");
  EXPECT_TRUE(table) << (table ? "" : to_string(table.error().front()));
  return table ? starter_protocol(*table, "d.csv") : "";
}

std::string first_problem(std::string const& text) {
  const auto study = study::load(text, "p.toml");
  return study ? "none" : to_string(study.error().front());
}

TEST(Starter, IsAProtocolWithoutProblems) { EXPECT_EQ(first_problem(starter_protocol()), "none"); }

TEST(Starter, GivesColumnsIdsBesideItsOwn) {
  // Every id of the text that the starter writes by itself, as a column.
  const std::string text = started(
      "id,arm,what,when,event_log,entry,outcome,baseline,end,full,label,site_id,randomised,event,time\n"
      "1,a,1,2001-01-01,3,4,5,6,7,8,9,1,2,1,5\n"
      "2,b,2,2001-01-02,3,4,5,6,7,8,9,1,2,0,6\n");
  EXPECT_EQ(first_problem(text), "none");
  EXPECT_NE(text.find("{ item = \"what_2\", column = \"what\" }"), std::string::npos);
}

TEST(Starter, KnowsTheTextsOfMissingValues) {
  const std::string text = started("id,arm,age,grade,note,event,time\n1,a,NA,1,N/A,1,5\n2,b,40,.,null,0,6\n3,a,41,2,x,0,NA\n");
  EXPECT_EQ(first_problem(text), "none");
  EXPECT_NE(text.find("missing = [\"NA\", \"N/A\", \".\", \"null\"]"), std::string::npos);
  EXPECT_NE(text.find("age = { kind = \"integer\""), std::string::npos);  // NA does not make it text
  EXPECT_NE(text.find("time = \"time@end\""), std::string::npos);         // nor the time no time
  EXPECT_EQ(started("id,arm,age\n1,a,1\n2,b,2\n").find("missing"), std::string::npos);
}

TEST(Starter, TakesNoColumnWithGapsForTheParticipant) {
  EXPECT_NE(started("id,key,arm\n1,k,a\nNA,l,b\n").find("participant = \"key\""), std::string::npos);
  EXPECT_NE(started("id,key,arm\n1,k,a\n,l,b\n").find("participant = \"key\""), std::string::npos);
}

}  // namespace
}  // namespace equipoise::cli
