#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/manifest.hpp"

namespace koine::store {

inline constexpr std::string_view kSumsName = "SHA256SUMS";
inline constexpr std::string_view kManifestName = "manifest.json";
inline constexpr std::string_view kMasterName = "model.h5";

/// The one text of SHA256SUMS: "<sha256>  <path>\n" per file, in the list's order.
[[nodiscard]] std::string sums_text(const std::vector<ManifestFile>& files);

/// Whether a path of the manifest stays in the run folder and fits into SHA256SUMS: relative, no
/// empty, "." or ".." part, no control character, no backslash.
[[nodiscard]] bool is_plain_path(std::string_view path);

/// Files that two equal runs may write differently: run.log, timing.json, .koine/.
[[nodiscard]] bool may_differ(std::string_view path);

}  // namespace koine::store
