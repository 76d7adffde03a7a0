#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "recipe/sweep.hpp"
#include "support/recipe_file.hpp"

namespace koine::test {

/// A recipe of experts expert1 … expert3 called ca, de, es, and a sweep file beside it.
class SweepFolder {
 public:
  explicit SweepFolder(const std::string& method = "lors", const std::string& rest = {}) {
    std::string recipe = "merge_method: " + method + "\nbase_model: base\nmodels:\n";
    for (const char* name : {"1, name: ca", "2, name: de", "3, name: es"})
      recipe += "  - {model: expert" + std::string(name) + "}\n";
    recipes_.write(recipe + rest);
  }

  [[nodiscard]] const std::filesystem::path& path() const { return recipes_.path(); }
  [[nodiscard]] std::string file() const { return (path() / "sweep.yaml").string(); }
  void write_recipe(const std::string& text) const { recipes_.write(text); }

  /// @param text what follows `recipe: lors.yaml`, from line 2 on
  [[nodiscard]] recipe::Sweep read(const std::string& text,
                                   const std::vector<std::string>& set = {},
                                   const std::string& output = {}) const {
    return read_whole("recipe: lors.yaml\n" + text, set, output);
  }

  [[nodiscard]] recipe::Sweep read_whole(const std::string& text,
                                         const std::vector<std::string>& set = {},
                                         const std::string& output = {}) const {
    std::filesystem::remove(file());
    std::ofstream(file(), std::ios::binary) << text;
    return recipe::read_sweep(file(), {.overrides = set, .output = output});
  }

  /// The message of the error, with the folder cut off: "sweep.yaml:3:5: …". "" where there is
  /// none.
  [[nodiscard]] std::string error(const std::string& text) const {
    return short_message([&] { static_cast<void>(read(text)); });
  }

  template <typename Call>
  [[nodiscard]] std::string short_message(Call&& call) const {
    std::string message = message_of(call);
    const std::string prefix = path().string() + "/";
    for (auto at = message.find(prefix); at != std::string::npos; at = message.find(prefix))
      message.erase(at, prefix.size());
    return message;
  }

 private:
  RecipeFolder recipes_;
};

/// A point's settings on one line: "rank 7, density 0.2".
inline std::string settings_of(const recipe::SweepPoint& point) {
  std::string text;
  for (const auto& [name, value] : point.settings)
    text += (text.empty() ? "" : ", ") + name + " " + value;
  return text;
}

inline std::vector<std::string> settings_of(const recipe::Sweep& sweep) {
  std::vector<std::string> all;
  for (const recipe::SweepPoint& point : sweep.points) all.push_back(settings_of(point));
  return all;
}

}  // namespace koine::test
