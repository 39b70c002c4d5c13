// Secret values in a text, whole and in pieces: what is handed on never depends on where the pieces end.
#include "core/command/secret_mask.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

using namespace troupe_internal;

namespace {

using strings = std::vector<std::string>;

/// The same by the plainest means: every place of every text is looked at.
std::string plainly_masked(const std::string& text, const strings& secrets) {
  std::vector<bool> covered(text.size(), false);
  for (const auto& secret : secrets)
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 1))
      std::fill_n(covered.begin() + static_cast<std::ptrdiff_t>(at), secret.size(), true);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (!covered[i])
      out += text[i];
    else if (i == 0 || !covered[i - 1])
      out += secret_mark;
  return out;
}

class streamed {
public:
  explicit streamed(const strings& secrets) : stream_(std::make_shared<const secret_mask>(secrets)) {}
  /// What has come out so far.
  const std::string& write(std::string_view bytes) {
    stream_.write(bytes, out_);
    return out_;
  }
  const std::string& pause() {
    stream_.pause(out_);
    return out_;
  }
  const std::string& finish() {
    stream_.finish(out_);
    return out_;
  }
  [[nodiscard]] bool would_show() const { return stream_.would_show(); }

private:
  mask_stream stream_;
  std::string out_;
};

} // namespace

TEST_CASE("a mark stands for each secret, and for those that overlap or touch") {
  const secret_mask mask(strings{"s3cr3t-Zq9x", "Zq9x-other", "abcdefgh"});
  CHECK(mask.masked("") == "");
  CHECK(mask.masked("nothing here") == "nothing here");
  CHECK(mask.masked("s3cr3t-Zq9x") == "***");
  CHECK(mask.masked("a s3cr3t-Zq9x, a s3cr3t-Zq9x!") == "a ***, a ***!");
  CHECK(mask.masked("s3cr3t-Zq9x-other.") == "***.");
  CHECK(mask.masked("abcdefghs3cr3t-Zq9x") == "***");
  CHECK(mask.masked("s3cr3t-Zq9") == "s3cr3t-Zq9");
  CHECK(mask.masked("s3cr3t-s3cr3t-Zq9x") == "s3cr3t-***");
  CHECK(secret_mask(strings{}).empty());
  CHECK(secret_mask(strings{}).masked("s3cr3t-Zq9x") == "s3cr3t-Zq9x");
}

TEST_CASE("what cannot begin a secret is handed on as it comes, and a secret as soon as it is whole") {
  streamed out({"s3cr3t-Zq9x"});
  CHECK(out.write("Password: ") == "Password: ");
  CHECK(out.write("s3cr3t-Z") == "Password: ");
  CHECK(out.write("q9x") == "Password: ***");
  CHECK(out.write("\n> s3c") == "Password: ***\n> ");
  CHECK(out.write("ond") == "Password: ***\n> s3cond");
  CHECK(out.write(" s3cr3t-") == "Password: ***\n> s3cond ");
  CHECK(out.finish() == "Password: ***\n> s3cond s3cr3t-");
}

TEST_CASE("after a while the first bytes of what is held back are shown, and never more of a secret") {
  streamed out({"s3cr3t-Zq9x"});
  out.write("your name");
  CHECK_FALSE(out.would_show());
  out.write("s");
  CHECK(out.would_show());
  CHECK(out.pause() == "your names");
  CHECK_FALSE(out.would_show());
  out.write("3cr3t-");
  CHECK(out.would_show());
  CHECK(out.pause() == "your names3c");
  CHECK_FALSE(out.would_show());
  CHECK(out.write("Zq9x.") == "your names3c***.");
  SUBCASE("byte by byte with a pause behind each") {
    streamed slow({"aabaabaab"});
    for (const char c : std::string("aabaabaabaabaabaabaabxaabaabaabx")) {
      slow.write({&c, 1});
      slow.pause();
    }
    CHECK(slow.finish().find("aabaabaab") == std::string::npos);
  }
}

TEST_CASE("a short value is no text to look for; of one with several lines, each is") {
  CHECK(masked_texts_of("1234567").empty());
  CHECK(masked_texts_of("12345678\n") == strings{"12345678"});
  CHECK(masked_texts_of("12345678\r\n\n") == strings{"12345678"});
  CHECK(masked_texts_of("{\n  \"key\": \"0123\",\r\n  \"x\": 1\n}\n") ==
        strings{"{\n  \"key\": \"0123\",\r\n  \"x\": 1\n}", "\"key\": \"0123\","});
  CHECK(masked_texts_of("\n\n").empty());
}

TEST_CASE("property: in whatever pieces a text comes, its secrets are masked as if they were looked for one by one") {
  CHECK(rc::check([] {
    const auto letters = rc::gen::elementOf(std::string("ab"));
    const auto word = rc::gen::nonEmpty(rc::gen::resize(7, rc::gen::container<std::string>(letters)));
    const strings secrets = *rc::gen::resize(4, rc::gen::container<strings>(word));
    const auto part = rc::gen::oneOf(
        word, rc::gen::map(rc::gen::elementOf(std::string("abc\n")), [](char c) { return std::string(1, c); }));
    strings pieces = *rc::gen::resize(40, rc::gen::container<strings>(part));
    if (!secrets.empty())
      pieces.push_back(*rc::gen::elementOf(secrets));
    std::string text;
    streamed out(secrets);
    std::size_t longest = 0;
    for (const auto& secret : secrets)
      longest = std::max(longest, secret.size());
    for (const auto& piece : pieces) {
      text += piece;
      const auto so_far = out.write(piece);
      auto ended_here = out;
      const auto whole = ended_here.finish();
      RC_ASSERT(whole == plainly_masked(text, secrets));
      // No more is held back than may turn out to be a secret.
      RC_ASSERT(whole.starts_with(so_far));
      RC_ASSERT(whole.size() - so_far.size() < secret_mark.size() * longest + 1);
    }
    RC_ASSERT(out.finish() == plainly_masked(text, secrets));
    RC_ASSERT(secret_mask(secrets).masked(text) == plainly_masked(text, secrets));
  }));
}
