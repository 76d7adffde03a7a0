#include "store/factor_file.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/hash.hpp"
#include "core/json.hpp"

namespace koine::store {
namespace {

static_assert(std::endian::native == std::endian::little, "floats are written as they lie");
using lowrank::Rung;
using lowrank::RungAnswer;
using lowrank::Verdict;

constexpr std::string_view kMagic = "koine-factors-2\n";
constexpr std::size_t kHash = 32;
constexpr std::int64_t kLargest = std::int64_t{1} << 36;

std::string hash_of(std::string_view text) {
  Fingerprint hash;
  hash.update(std::as_bytes(std::span(text)));
  return hash.hex();
}

Json to_json(const Verdict& verdict) {
  Json json{{"asked", verdict.asked},
            {"kept", verdict.kept},
            {"is_accurate", verdict.is_accurate},
            {"certificate", verdict.certificate}};
  if (verdict.kept > 0) json["residual"] = verdict.residual;  // else infinite
  return json;
}

Verdict verdict_from(const Json& json) {
  Verdict verdict;
  verdict.asked = json.at("asked");
  verdict.kept = json.at("kept");
  verdict.is_accurate = json.at("is_accurate");
  verdict.certificate = json.at("certificate");
  if (verdict.kept > 0) verdict.residual = json.at("residual");
  return verdict;
}

Json header_of(const std::string& key, const Rung& rung) {
  const std::size_t short_side = static_cast<std::size_t>(std::min(rung.rows, rung.cols));
  Json answers = Json::array();
  for (const RungAnswer& answer : rung.answers) {
    Json verdicts = Json::array();
    for (const Verdict& verdict : answer.verdicts) verdicts.push_back(to_json(verdict));
    answers.push_back({{"method", answer.method},
                       {"has_converged", answer.has_converged},
                       {"blocks", answer.blocks},
                       {"values", answer.values},
                       {"width", answer.u.size() / short_side},
                       {"verdicts", verdicts}});
  }
  return {{"key", key},
          {"shape", {rung.rows, rung.cols}},
          {"rung", rung.rung},
          {"tau_squared", rung.tau_squared},
          {"is_exhausted", rung.is_exhausted},
          {"answers", answers}};
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

RungAnswer answer_from(const Json& json, const Rung& rung, std::string_view& floats) {
  RungAnswer answer;
  answer.method = json.at("method");
  answer.has_converged = json.at("has_converged");
  answer.blocks = json.at("blocks");
  answer.values = json.at("values").get<std::vector<double>>();
  for (const Json& verdict : json.at("verdicts")) answer.verdicts.push_back(verdict_from(verdict));
  const std::int64_t width = json.at("width");
  answer.u = take(floats, std::min(rung.rows, rung.cols) * width);
  answer.b = take(floats, std::max(rung.rows, rung.cols) * width);
  return answer;
}

/// @throws InputError, nlohmann::json::exception for what write_factors did not write
std::optional<Rung> parse(std::string_view text, const std::string& key) {
  if (text.size() < kMagic.size() + kHash || !text.starts_with(kMagic)) return std::nullopt;
  std::string_view body = text.substr(0, text.size() - kHash);
  if (hash_of(body) != text.substr(body.size())) return std::nullopt;
  body.remove_prefix(kMagic.size());
  const auto line_end = body.find('\n');
  const Json header = Json::parse(body.substr(0, line_end));
  if (header.at("key") != key) return std::nullopt;
  body.remove_prefix(line_end + 1);
  Rung rung;
  rung.rows = header.at("shape").at(0);
  rung.cols = header.at("shape").at(1);
  rung.rung = header.at("rung");
  rung.tau_squared = header.at("tau_squared");
  rung.is_exhausted = header.at("is_exhausted");
  for (const Json& answer : header.at("answers"))
    rung.answers.push_back(answer_from(answer, rung, body));
  return rung;
}

}  // namespace

void write_factors(const std::filesystem::path& path, const std::string& key, const Rung& rung) {
  std::string text = std::string(kMagic) + header_of(key, rung).dump() + "\n";
  for (const RungAnswer& answer : rung.answers) {
    append(text, answer.u);
    append(text, answer.b);
  }
  text += hash_of(text);
  replace_file(path, text);
}

std::optional<Rung> read_factors(const std::filesystem::path& path, const std::string& key) {
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
