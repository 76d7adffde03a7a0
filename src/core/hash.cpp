#include "core/hash.hpp"

#include <array>
#include <new>

#include <fmt/format.h>
#include <openssl/evp.h>
#if defined(KOINE_XXHASH_DISPATCHES)
#include <xxh_x86dispatch.h>  // its update takes the widest vectors of this CPU: the same hash
#else
#include <xxhash.h>
#endif

#include "core/error.hpp"

namespace koine {

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  if (EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) != 1) {
    throw Error(ExitCode::our_fault, "OpenSSL offers no SHA-256");
  }
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> bytes) {
  EVP_DigestUpdate(state_->context, bytes.data(), bytes.size());
}

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  EVP_DigestFinal_ex(state_->context, digest.data(), &length);
  std::string text;
  for (unsigned int i = 0; i < length; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

struct Fingerprint::State {
  XXH3_state_t* stream = XXH3_createState();
  State() {
    if (stream == nullptr) throw std::bad_alloc();
    XXH3_128bits_reset(stream);
  }
  ~State() { XXH3_freeState(stream); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

Fingerprint::Fingerprint() : state_(std::make_unique<State>()) {}
Fingerprint::~Fingerprint() = default;
Fingerprint::Fingerprint(Fingerprint&&) noexcept = default;
Fingerprint& Fingerprint::operator=(Fingerprint&&) noexcept = default;

void Fingerprint::update(std::span<const std::byte> bytes) {
  XXH3_128bits_update(state_->stream, bytes.data(), bytes.size());
}

std::string Fingerprint::hex() const {
  const XXH128_hash_t value = XXH3_128bits_digest(state_->stream);
  return fmt::format("{:016x}{:016x}", value.high64, value.low64);
}

std::string sha256_of(std::string_view text) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(text)));
  return hash.hex();
}

}  // namespace koine
