#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace koine::recipe {

/// What a path of a recipe stands for; exactly one of `path` and `problem` is set.
struct ResolvedPath {
  std::string path;     ///< absolute, or as it was found in the Hugging Face cache
  std::string problem;  ///< where it was looked for and what to do
  std::string warning;  ///< it was found twice
};

/// Absolute; else beside the recipe, else in the working folder, else (org/name) in the local
/// Hugging Face cache. Looks only, reads nothing but the cache's refs; never the network.
[[nodiscard]] ResolvedPath resolve_path(const std::string& written,
                                        const std::filesystem::path& recipe_folder);

/// The same for a file that `owner` ("the sweep") names, which is no model: never in that cache.
[[nodiscard]] ResolvedPath resolve_file(const std::string& written,
                                        const std::filesystem::path& owner_folder,
                                        std::string_view owner);

/// The last part of a path, for a model's name: "whisper-small-ca".
[[nodiscard]] std::string last_part(const std::string& written, const std::string& resolved);

/// $HF_HUB_CACHE, else $HF_HOME/hub, else $XDG_CACHE_HOME/huggingface/hub, else
/// ~/.cache/huggingface/hub.
[[nodiscard]] std::filesystem::path hugging_face_cache();

}  // namespace koine::recipe
