#include "store/factor_file.hpp"

#include <bit>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/hash.hpp"
#include "core/json.hpp"

namespace koine::store {
namespace {

static_assert(std::endian::native == std::endian::little, "floats are written as they lie");
using lowrank::Factors;

constexpr std::string_view kMagic = "koine-factors-1\n";
constexpr std::size_t kHash = 32;
constexpr std::int64_t kLargest = std::int64_t{1} << 36;

std::string hash_of(std::string_view text) {
  Fingerprint hash;
  hash.update(std::as_bytes(std::span(text)));
  return hash.hex();
}

Json header_json(const std::string& key, const Factors& f) {
  return {{"key", key},         {"shape", {f.rows, f.cols}},
          {"kept", f.kept},     {"is_transposed", f.is_transposed},
          {"sigma", f.sigma},   {"tau_squared", f.tau_squared},
          {"energy", f.energy}, {"residual", f.residual},
          {"gap", f.gap},       {"certified", f.certified},
          {"method", f.method}, {"fallbacks", f.fallbacks}};
}

Factors from_header(const Json& json) {
  Factors f;
  f.rows = json.at("shape").at(0);
  f.cols = json.at("shape").at(1);
  f.kept = json.at("kept");
  f.is_transposed = json.at("is_transposed");
  f.sigma = json.at("sigma").get<std::vector<double>>();
  f.tau_squared = json.at("tau_squared");
  f.energy = json.at("energy");
  f.residual = json.at("residual");
  f.gap = json.at("gap");
  f.certified = json.at("certified");
  f.method = json.at("method");
  f.fallbacks = json.at("fallbacks");
  return f;
}

void append(std::string& text, const std::vector<float>& values) {
  text.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
}

/// Takes the next `count` floats. @throws InputError where there are fewer
std::vector<float> take(std::string_view& text, std::int64_t count) {
  const auto bytes = static_cast<std::size_t>(count) * sizeof(float);
  if (count < 0 || bytes > text.size()) throw InputError("is cut short");
  std::vector<float> values(static_cast<std::size_t>(count));
  if (count > 0) std::memcpy(values.data(), text.data(), bytes);
  text.remove_prefix(bytes);
  return values;
}

/// @throws InputError, nlohmann::json::exception for what write_factors did not write
std::optional<Factors> parse(std::string_view text, const std::string& key) {
  if (text.size() < kMagic.size() + kHash || !text.starts_with(kMagic)) return std::nullopt;
  std::string_view body = text.substr(0, text.size() - kHash);
  if (hash_of(body) != text.substr(body.size())) return std::nullopt;
  body.remove_prefix(kMagic.size());
  const auto line_end = body.find('\n');
  const Json header = Json::parse(body.substr(0, line_end));
  if (header.at("key") != key) return std::nullopt;
  body.remove_prefix(line_end + 1);
  Factors factors = from_header(header);
  const std::int64_t short_side = std::min(factors.rows, factors.cols);
  factors.u = take(body, short_side * factors.kept);
  factors.b = take(body, factors.kept * std::max(factors.rows, factors.cols));
  return factors;
}

}  // namespace

void write_factors(const std::filesystem::path& path, const std::string& key,
                   const Factors& factors) {
  std::string text = std::string(kMagic) + header_json(key, factors).dump() + "\n";
  append(text, factors.u);
  append(text, factors.b);
  text += hash_of(text);
  std::filesystem::path temporary = path;
  temporary += fmt::format(".tmp.{}", ::getpid());
  File file = File::create(temporary);
  file.write_at(std::as_bytes(std::span(text)), 0);
  file.close();
  std::error_code code;
  std::filesystem::rename(temporary, path, code);
  if (code)
    throw StorageError(fmt::format("{}: renaming into place: {}", path.string(), code.message()));
}

std::optional<Factors> read_factors(const std::filesystem::path& path, const std::string& key) {
  std::error_code none;
  if (!std::filesystem::exists(path, none)) return std::nullopt;
  try {
    return parse(read_text_file(path, kLargest), key);
  } catch (const InputError&) {
    return std::nullopt;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

}  // namespace koine::store
