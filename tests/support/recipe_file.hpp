#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "recipe/recipe.hpp"
#include "support/temporary_folder.hpp"

namespace koine::test {

/// A folder with empty models base, expert1 … expert5 and a recipe file beside them.
class RecipeFolder {
 public:
  RecipeFolder() {
    for (const char* name : {"base", "expert1", "expert2", "expert3", "expert4", "expert5"}) {
      std::filesystem::create_directories(folder_ / name);
    }
  }

  [[nodiscard]] const std::filesystem::path& path() const { return folder_.path(); }
  [[nodiscard]] std::string file() const { return (folder_ / "lors.yaml").string(); }

  std::string write(const std::string& text) const {
    std::filesystem::remove(file());  // truncating in place makes ext4 flush: 4 ms each
    std::ofstream(file(), std::ios::binary) << text;
    return file();
  }

  [[nodiscard]] recipe::Recipe read(const std::string& text,
                                    const std::vector<std::string>& set = {},
                                    const std::string& output = {}) const {
    return recipe::read(write(text), {set, output});
  }

  /// The message of the InputError, with the folder cut off: "lors.yaml:3:5: …". "" where the
  /// recipe is fine.
  [[nodiscard]] std::string error(const std::string& text,
                                  const std::vector<std::string>& set = {}) const {
    std::string message = message_of([&] { static_cast<void>(read(text, set)); });
    const std::string prefix = path().string() + "/";
    for (auto at = message.find(prefix + "lors"); at != std::string::npos;
         at = message.find(prefix + "lors")) {
      message.erase(at, prefix.size());
    }
    return message;
  }

 private:
  TemporaryFolder folder_;
};

/// A recipe of `experts` experts for this method, lines 1 to 2 + 1 + experts; `rest` follows.
inline std::string plain_recipe(const std::string& method, int experts,
                                const std::string& rest = {}) {
  std::string text = "merge_method: " + method + "\nbase_model: base\nmodels:\n";
  for (int i = 1; i <= experts; ++i) text += "  - model: expert" + std::to_string(i) + "\n";
  return text + rest;
}

}  // namespace koine::test
