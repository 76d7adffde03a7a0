#include "recipe/paths.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <optional>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "recipe/problems.hpp"

namespace koine::recipe {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> from_environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return fs::path(value);
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

bool is_same(const fs::path& a, const fs::path& b) {
  std::error_code ignored;
  return fs::equivalent(a, b, ignored);
}

/// Absolute, without "." and "..", without a slash at the end.
std::string tidy(const fs::path& path) {
  std::string text = path.lexically_normal().string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

bool is_plain_name(std::string_view text) {
  return !text.empty() && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
         });
}

/// "org/name" or "org/name@revision".
struct HubName {
  std::string organisation, name, revision = "main";
};

std::optional<HubName> hub_name(const std::string& written) {
  HubName hub;
  std::string rest = written;
  if (const auto at = rest.find('@'); at != std::string::npos) {
    hub.revision = rest.substr(at + 1);
    rest.resize(at);
  }
  const auto slash = rest.find('/');
  if (slash == std::string::npos) return std::nullopt;
  hub.organisation = rest.substr(0, slash);
  hub.name = rest.substr(slash + 1);
  if (!is_plain_name(hub.organisation) || !is_plain_name(hub.name) || !is_plain_name(hub.revision))
    return std::nullopt;
  return hub;
}

/// The snapshot folder of a downloaded model. A ref is a file that holds the snapshot's hash.
std::optional<std::string> find_in_cache(const HubName& hub) {
  const fs::path model =
      hugging_face_cache() / fmt::format("models--{}--{}", hub.organisation, hub.name);
  std::string hash = hub.revision;
  try {
    if (is_there(model / "refs" / hub.revision))
      hash = read_text_file(model / "refs" / hub.revision, 256);
  } catch (const Error&) {
    return std::nullopt;
  }
  while (!hash.empty() && std::isspace(static_cast<unsigned char>(hash.back())) != 0)
    hash.pop_back();
  if (!is_plain_name(hash) || !is_there(model / "snapshots" / hash)) return std::nullopt;
  return (model / "snapshots" / hash).string();
}

/// What names a path, and the folder that it is looked for in first.
struct Owner {
  std::string_view name;  ///< "the recipe"
  fs::path folder;        ///< absolute

  Owner(std::string_view called, const fs::path& at) : name(called) {
    std::error_code ignored;
    folder = fs::absolute(at.empty() ? fs::path(".") : at, ignored);
  }
};

std::string where_not(const Owner& owner) {
  std::error_code ignored;
  return fmt::format("neither beside {} ({}) nor in the working folder ({})", owner.name,
                     tidy(owner.folder), fs::current_path(ignored).string());
}

/// An absolute path, there or not; one found beside its owner or in the working folder.
std::optional<ResolvedPath> find_locally(const std::string& written, const Owner& owner) {
  const fs::path path(written);
  if (path.is_absolute()) {
    if (is_there(path)) return ResolvedPath{tidy(path), "", ""};
    return ResolvedPath{"", fmt::format("{} is not there; correct the path", shown(written)), ""};
  }
  std::error_code ignored;
  const fs::path beside = (owner.folder / path).lexically_normal();
  const fs::path here = (fs::current_path(ignored) / path).lexically_normal();
  if (is_there(beside)) {
    ResolvedPath found{tidy(beside), "", ""};
    if (is_there(here) && !is_same(beside, here)) {
      found.warning = fmt::format("{} is beside {} and in the working folder; {} is used",
                                  shown(written), owner.name, beside.string());
    }
    return found;
  }
  if (is_there(here)) return ResolvedPath{tidy(here), "", ""};
  return std::nullopt;
}

std::string not_found(const std::string& written, const std::string& places,
                      const std::optional<HubName>& hub) {
  if (written.find('+') != std::string::npos) {
    return fmt::format(
        "{} is not there; 'path+lora' is not supported: give the adapter's folder as a model of "
        "its own",
        shown(written));
  }
  if (!hub) return fmt::format("{} is {}; correct the path", shown(written), places);
  const std::string revision = hub->revision == "main" ? "" : " --revision " + hub->revision;
  return fmt::format(
      "{} is {}, nor in the Hugging Face cache ({}); correct the path or run: hf download {}/{}{}",
      shown(written), places, hugging_face_cache().string(), hub->organisation, hub->name,
      revision);
}

}  // namespace

fs::path hugging_face_cache() {
  if (const auto cache = from_environment("HF_HUB_CACHE")) return *cache;
  if (const auto home = from_environment("HF_HOME")) return *home / "hub";
  if (const auto cache = from_environment("XDG_CACHE_HOME")) return *cache / "huggingface" / "hub";
  return from_environment("HOME").value_or("/") / ".cache" / "huggingface" / "hub";
}

ResolvedPath resolve_path(const std::string& written, const fs::path& recipe_folder) {
  const Owner recipe("the recipe", recipe_folder);
  if (auto found = find_locally(written, recipe)) return std::move(*found);
  const auto hub = hub_name(written);
  if (hub) {
    if (auto snapshot = find_in_cache(*hub)) return {std::move(*snapshot), "", ""};
  }
  return {"", not_found(written, where_not(recipe), hub), ""};
}

ResolvedPath resolve_file(const std::string& written, const fs::path& owner_folder,
                          std::string_view owner) {
  const Owner owned(owner, owner_folder);
  if (auto found = find_locally(written, owned)) return std::move(*found);
  return {"", fmt::format("{} is {}; correct the path", shown(written), where_not(owned)), ""};
}

std::string last_part(const std::string& written, const std::string& resolved) {
  for (const std::string& text : {written, resolved}) {
    std::string trimmed = text;
    while (trimmed.size() > 1 && trimmed.back() == '/') trimmed.pop_back();
    std::string part = fs::path(trimmed).filename().string();
    if (const auto at = part.find('@'); at != std::string::npos && at > 0) part.resize(at);
    if (!part.empty() && part != "." && part != ".." && part != "/") return part;
  }
  return written;
}

}  // namespace koine::recipe
