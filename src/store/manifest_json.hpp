#pragma once

#include <string>
#include <string_view>

#include "store/manifest.hpp"

namespace koine::store {

/// manifest.json as text, its last member "manifest_sha256" being the hash of the text that ends
/// before that member (closed by "\n}\n"). @throws InputError for names that are no UTF-8
[[nodiscard]] std::string manifest_text(const Manifest& manifest);

/// Back from text: the hash, then every member's type and value. @throws VerifyError that begins
/// with `where`
[[nodiscard]] Manifest manifest_from_text(std::string_view text, const std::string& where);

}  // namespace koine::store
