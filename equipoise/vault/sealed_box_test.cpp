#include "equipoise/vault/sealed_box.h"

#include <sodium.h>
#include <sys/stat.h>

#include "equipoise/vault/escrow.h"
#include "equipoise/vault/testing.h"

namespace equipoise::vault {
namespace {

using testing::Folder, testing::TestChance, testing::said;

constexpr KeyCost cheap{.passes = 1, .memory = 8192};  // enough for a test; the true cost is the default

SecretBytes content(std::string_view text) {
  SecretBytes made(text.size());
  std::ranges::copy(text, made.bytes().begin());
  return made;
}
Lock words(std::string_view passphrase = "correct horse battery") { return Lock::passphrase(passphrase, cheap).value(); }
Lock key(std::uint8_t byte) {
  SecretBytes made(32);
  made.bytes()[0] = byte;
  return Lock::key(std::move(made));
}

TEST(SealedBox, OpensWithItsPassphraseOrItsKey) {
  TestChance chance;
  for (const bool by_key : {false, true}) {
    const std::string box = seal_box(BoxKind::vault, content("the seed"), by_key ? key(1) : words(), chance).value();
    EXPECT_EQ(open_box(BoxKind::vault, box, by_key ? key(1) : words(), "the file")->text(), "the seed");
    EXPECT_EQ(box.find("the seed"), std::string::npos);
  }
}

TEST(SealedBox, HasTheSameLengthWhateverItHolds) {
  TestChance chance;
  const std::size_t size = seal_box(BoxKind::vault, content(""), words(), chance)->size();
  EXPECT_EQ(size, 88u + 65536 + 16);
  EXPECT_EQ(seal_box(BoxKind::vault, content(std::string(65528, 'x')), words(), chance)->size(), size);
  EXPECT_EQ(seal_box(BoxKind::vault, content(std::string(65529, 'x')), words(), chance)->size(), size + 65536);
}

TEST(SealedBox, SaysWhyItDoesNotOpen) {
  TestChance chance;
  const std::string box = seal_box(BoxKind::vault, content("the seed"), words(), chance).value();
  const auto problem = [&](std::string const& bytes, Lock const& lock, BoxKind kind = BoxKind::vault) {
    return said(open_box(kind, bytes, lock, "the file"));
  };
  EXPECT_EQ(problem(box, words("another passphrase")),
            "the file does not open: the passphrase is wrong, or the file has been changed");
  EXPECT_EQ(problem(seal_box(BoxKind::vault, content(""), key(1), chance).value(), key(2)),
            "the file does not open: the key is wrong, or the file has been changed");
  EXPECT_EQ(problem(box, key(1)), "the file opens by a passphrase, and a key was given");
  EXPECT_EQ(problem(box, words(), BoxKind::list), "the file is sealed, and is no list");
  EXPECT_EQ(problem("", words()), "the file is no sealed file of this program");
  EXPECT_EQ(problem("PK\3\4 something else entirely", words()), "the file is no sealed file of this program");
  EXPECT_EQ(problem(box.substr(0, 50), words()), "the file is cut off: it has 50 bytes");
  EXPECT_EQ(problem(box.substr(0, 1000), words()), "the file is cut off: it has 1000 of 65640 bytes");
  EXPECT_EQ(problem(box + "x", words()), "the file has 1 bytes after its end");
  std::string newer = box;
  newer[19] = 2;
  EXPECT_EQ(problem(newer, words()), "the file was sealed by a newer program, in format 2; this one reads format 1");
  std::string greedy = box;
  greedy[32] = 1;  // 2^56 bytes and more
  EXPECT_EQ(problem(greedy, words()), "the file has a head that no program writes");
}

TEST(SealedBox, NoticesEveryChangedByteOfItsHeadAndSomeOfTheRest) {
  TestChance chance;
  const std::string box = seal_box(BoxKind::vault, content("the seed"), key(1), chance).value();
  for (std::size_t i = 0; i < box.size(); i += i < 200 ? 1 : 997) {
    std::string changed = box;
    changed[i] = char(changed[i] ^ 0x40);
    EXPECT_FALSE(open_box(BoxKind::vault, changed, key(1), "the file")) << i;
  }
}

TEST(SealedBox, TakesPassphrasesOfReasonableLength) {
  EXPECT_EQ(said(Lock::passphrase("too short")), "a passphrase has 12 to 1024 bytes, and this one 9");
  EXPECT_TRUE(Lock::passphrase(std::string(1024, 'x')));
  EXPECT_FALSE(Lock::passphrase(std::string(1025, 'x')));
  EXPECT_EQ(Lock::passphrase("long enough words")->cost().passes, 3u);
  EXPECT_EQ(Lock::passphrase("long enough words")->cost().memory, 64u << 20);
}

TEST(SealedBox, ReadsKeyFilesThatOnlyTheirOwnerReads) {
  const Folder folder;
  const auto path = folder / "key";
  testing::write_bytes(path, std::string(32, 'k'));
  ::chmod(path.c_str(), 0600);
  EXPECT_EQ(Lock::key_file(path)->secret().text(), std::string(32, 'k'));
  ::chmod(path.c_str(), 0640);
  EXPECT_EQ(Lock::key_file(path).error().code, Code::refused);
  testing::write_bytes(path, std::string(33, 'k'));
  ::chmod(path.c_str(), 0400);
  EXPECT_EQ(Lock::key_file(path).error().message, fmt::format("the key file '{}' has 33 bytes, and a key has 32", path.string()));
  EXPECT_EQ(Lock::key_file(folder / "nothing").error().code, Code::io);
}

TEST(SealedBox, IsWrittenForItsOwnerAndNeverOverwritten) {
  const Folder folder;
  const auto path = folder / "vault";
  ASSERT_TRUE(write_new(path, "first"));
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(status.st_nlink, 1u);
  const auto again = write_new(path, "second");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::conflict);
  EXPECT_EQ(*read_whole(path), "first");
  EXPECT_EQ(read_whole(path, 3).error().code, Code::out_of_range);
  EXPECT_EQ(write_new(folder / "no/such", "x").error().code, Code::io);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path.parent_path()), {}), 1);
}

TEST(Escrow, OpensForItsOwnerAlone) {
  TestChance chance;
  const EscrowKeys owner = make_escrow_keys(chance), other = make_escrow_keys(chance);
  const SecretBytes seed = SecretBytes::drawn(32, chance);
  const std::string sealed = seal_to_escrow(seed, owner.public_key, chance).value();
  EXPECT_EQ(sealed.size(), 160u);
  EXPECT_EQ(open_escrow(sealed, owner.secret_key)->text(), seed.text());
  EXPECT_EQ(said(open_escrow(sealed, other.secret_key)),
            "the sealed seed does not open: it is for another key, or has been changed");
  std::string changed = sealed;
  changed[100] = changed[100] == '0' ? '1' : '0';
  EXPECT_EQ(open_escrow(changed, owner.secret_key).error().code, Code::refused);
  EXPECT_EQ(said(open_escrow("00", owner.secret_key)), "a sealed seed has 160 hexadecimal digits, in lower case");
  EXPECT_EQ(said(open_escrow(sealed, SecretBytes(31))), "a secret key for escrow has 32 bytes");
  EXPECT_EQ(said(seal_to_escrow(seed, "abc", chance)), "a public key for escrow has 64 hexadecimal digits, in lower case");
  EXPECT_FALSE(seal_to_escrow(seed, std::string(64, '0'), chance));  // a point of small order
}

}  // namespace
}  // namespace equipoise::vault
