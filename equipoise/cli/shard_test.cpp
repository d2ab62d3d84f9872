#include "equipoise/cli/shard.h"

#include <gtest/gtest.h>

#include <map>

namespace equipoise::cli {
namespace {

Expected<Shard> launched(std::map<std::string, std::string> const& environment) {
  return launched_shard([&](char const* name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    return found == environment.end() ? std::nullopt : std::optional(found->second);
  });
}

std::string said(Expected<Shard> const& shard) {
  return shard ? std::to_string(shard->index) + "/" + std::to_string(shard->count) : "refused";
}

TEST(Shards, CoverAllBlocksOnce) {
  for (const std::int64_t count : {1, 3, 64, 1000000})
    for (const std::int64_t blocks :
         {std::int64_t(0), std::int64_t(1), std::int64_t(7), std::int64_t(100), std::int64_t(687194768)}) {
      std::int64_t next = 0;
      for (std::int64_t i = 1; i <= count; ++i) {
        const Shard shard{i, count, {}};
        ASSERT_EQ(shard.begin(blocks), next);
        ASSERT_LE(shard.end(blocks) - next, blocks / count + 1);
        next = shard.end(blocks);
      }
      ASSERT_EQ(next, blocks);
    }
}

TEST(Shards, AreReadFromTheCommandLine) {
  EXPECT_EQ(said(parse_shard("2/8")), "2/8");
  for (char const* bad : {"", "3", "0/3", "4/3", "1/0", "a/b", "1/2/3", "-1/3", "1/ 3", "1/2000000"})
    EXPECT_EQ(said(parse_shard(bad)), "refused") << bad;
}

TEST(Shards, AreReadFromTheLauncher) {
  EXPECT_EQ(said(launched({})), "1/1");
  EXPECT_EQ(said(launched({{"SLURM_ARRAY_TASK_ID", "7"},
                           {"SLURM_ARRAY_TASK_COUNT", "4"},
                           {"SLURM_ARRAY_TASK_MIN", "1"},
                           {"SLURM_ARRAY_TASK_STEP", "2"}})),
            "4/4");
  EXPECT_EQ(said(launched({{"SLURM_ARRAY_TASK_ID", "9"}, {"SLURM_ARRAY_TASK_COUNT", "3"}, {"SLURM_ARRAY_TASK_MIN", "1"}})),
            "refused")
      << "an array with holes: --array=1,4,9";
  EXPECT_EQ(said(launched({{"OMPI_COMM_WORLD_RANK", "2"}, {"OMPI_COMM_WORLD_SIZE", "6"}})), "3/6");
  EXPECT_EQ(said(launched({{"PMI_RANK", "0"}, {"PMI_SIZE", "2"}})), "1/2");
  EXPECT_EQ(said(launched({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "4"}})), "1/1") << "a batch script that srun did not start";
  EXPECT_EQ(said(launched({{"SLURM_PROCID", "3"}, {"SLURM_STEP_NUM_TASKS", "4"}})), "4/4");
  const std::map<std::string, std::string> both{
      {"SLURM_ARRAY_TASK_ID", "1"}, {"SLURM_ARRAY_TASK_COUNT", "2"}, {"SLURM_PROCID", "1"}, {"SLURM_STEP_NUM_TASKS", "3"}};
  EXPECT_EQ(said(launched(both)), "5/6");
  EXPECT_EQ(launched(both)->source, "SLURM_ARRAY_TASK_ID and SLURM_PROCID");
  EXPECT_EQ(said(launched({{"PMI_RANK", "5"}, {"PMI_SIZE", "2"}})), "refused");
}

}  // namespace
}  // namespace equipoise::cli
