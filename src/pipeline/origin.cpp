#include "pipeline/origin.hpp"

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/text.hpp"

namespace koine::pipeline {
namespace {

constexpr std::int64_t kLargest = std::int64_t{1} << 20;

std::filesystem::path path_of(const std::filesystem::path& run) {
  return run / ".koine" / "origin.json";
}

}  // namespace

void write_origin(const std::filesystem::path& run, const Origin& origin) {
  const Json json{{"recipe", origin.recipe_file},
                  {"set", origin.overrides},
                  {"allow_nonfinite", origin.allow_nonfinite}};
  write_file_atomically(path_of(run), to_text(json));
}

std::optional<Origin> read_origin(const std::filesystem::path& run) {
  if (!std::filesystem::exists(path_of(run))) return std::nullopt;
  try {
    const Json json =
        parse_strict_json(read_text_file(path_of(run), kLargest), path_of(run).string());
    return Origin{json.at("recipe").get<std::string>(),
                  json.at("set").get<std::vector<std::string>>(),
                  json.at("allow_nonfinite").get<bool>()};
  } catch (const InputError&) {
    return std::nullopt;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

std::string merge_command(const std::filesystem::path& run) {
  const auto origin = read_origin(run);
  std::string command = "koine merge " +
                        (origin ? shell_word(origin->recipe_file) : std::string("RECIPE")) +
                        " --output " + shell_word(run.string());
  for (const std::string& text : origin ? origin->overrides : std::vector<std::string>{})
    command += " --set " + shell_word(text);
  if (origin && origin->allow_nonfinite) command += " --allow-nonfinite";
  return command;
}

}  // namespace koine::pipeline
