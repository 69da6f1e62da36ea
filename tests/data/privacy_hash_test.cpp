// tests/data/privacy_hash_test.cpp: SHA-256 and HMAC-SHA-256 against the published vectors.
//
// SPDX-License-Identifier: MIT
#include "../test.hpp"

#include <synthdata/data/privacy/hash.hpp>

using namespace synthdata;

TEST_CASE("SHA-256 gives the digests of FIPS 180-4's examples") {
  CHECK(hex(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(hex(sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex(sha256(std::string(1'000'000, 'a'))) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("SHA-256 takes its text in pieces of any length") {
  const std::string text = []() {
    std::string out;
    for (int i = 0; i < 300; ++i) out += static_cast<char>(i * 7);
    return out;
  }();
  for (std::size_t length = 0; length <= text.size(); ++length) {
    const std::string_view head = std::string_view(text).substr(0, length);
    Sha256 hash;
    for (std::size_t at = 0; at < length; at += 1 + at % 37) hash.update(head.substr(at, 1 + at % 37));
    CHECK(hash.digest() == sha256(head));
    CHECK(hash.digest() == sha256(head));
  }
}

TEST_CASE("HMAC-SHA-256 gives the codes of RFC 4231") {
  const auto code = [](const std::string& key, const std::string& message) { return hex(HmacSha256(key)(message)); };
  CHECK(code(std::string(20, '\x0b'), "Hi There") ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(code("Jefe", "what do ya want for nothing?") ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(code(std::string(20, '\xaa'), std::string(50, '\xdd')) ==
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  std::string counting;
  for (int i = 1; i <= 25; ++i) counting += static_cast<char>(i);
  CHECK(code(counting, std::string(50, '\xcd')) == "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
  CHECK(code(std::string(20, '\x0c'), "Test With Truncation").substr(0, 32) == "a3b6167473100ee06e0c796c2955552b");
  CHECK(code(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First") ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  CHECK(code(std::string(131, '\xaa'),
             "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be "
             "hashed before being used by the HMAC algorithm.") ==
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}
