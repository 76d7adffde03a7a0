#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "store/manifest.hpp"

namespace koine::store {

/// manifest.json in pieces of text, its last member "manifest_sha256" being the hash of the text
/// that ends before that member (closed by "\n}\n"). @throws InputError for names that are no UTF-8
void put_manifest(const Manifest& manifest, const ModelTexts& models,
                  const std::function<void(std::string_view)>& put);

/// Back from text: the hash, then every member's type and value. @throws VerifyError that begins
/// with `where`
[[nodiscard]] Manifest manifest_from_text(std::string_view text, const std::string& where);

}  // namespace koine::store
