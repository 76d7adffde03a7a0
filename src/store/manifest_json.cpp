#include "store/manifest_json.hpp"

#include <span>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/json.hpp"

namespace koine::store {
namespace {

constexpr std::string_view kSeal = ",\n  \"manifest_sha256\": \"";
constexpr std::string_view kEnd = "\"\n}\n";
constexpr std::size_t kHex = 64;

using Dims = checkpoint::ModelDims;
struct DimField {
  const char* name;
  std::int64_t Dims::*member;
};
constexpr DimField kDims[] = {{"n_mels", &Dims::n_mels},
                              {"n_vocab", &Dims::n_vocab},
                              {"n_audio_ctx", &Dims::n_audio_ctx},
                              {"n_audio_state", &Dims::n_audio_state},
                              {"n_audio_head", &Dims::n_audio_head},
                              {"n_audio_layer", &Dims::n_audio_layer},
                              {"n_text_ctx", &Dims::n_text_ctx},
                              {"n_text_state", &Dims::n_text_state},
                              {"n_text_head", &Dims::n_text_head},
                              {"n_text_layer", &Dims::n_text_layer}};

constexpr std::pair<checkpoint::Naming, std::string_view> kNamings[] = {
    {checkpoint::Naming::openai, "openai"},
    {checkpoint::Naming::hf, "hf"},
    {checkpoint::Naming::unknown, "unknown"}};

// --- to text

Json model_json(const Manifest& manifest) {
  Json dims;
  if (manifest.dims) {
    for (const DimField& field : kDims) dims[field.name] = (*manifest.dims).*field.member;
  }
  Json model;
  for (const auto& [naming, word] : kNamings) {
    if (naming == manifest.naming) model["naming"] = word;
  }
  model["dims"] = dims;
  return model;
}

Json tensors_json(const std::vector<ManifestTensor>& tensors) {
  Json object = Json::object();
  for (const ManifestTensor& t : tensors) {
    object[t.name] =
        Json{{"canonical", t.canonical}, {"shard", t.shard},   {"dtype", recipe_name(t.dtype)},
             {"shape", t.shape},         {"offset", t.offset}, {"bytes", t.bytes()},
             {"sha256", t.sha256}};
  }
  return object;
}

Json files_json(const std::vector<ManifestFile>& files) {
  Json object = Json::object();
  for (const ManifestFile& f : files) object[f.path] = Json{{"size", f.size}, {"sha256", f.sha256}};
  return object;
}

/// A member that is not the document's first.
std::string member_piece(const char* key, const Json& value) {
  return fmt::format(",\n  \"{}\": {}", key, to_piece(value, 1));
}

// --- from text; what is wrong is thrown as std::runtime_error, named by the caller

[[noreturn]] void reject(const std::string& what) {
  throw std::runtime_error(what);
}

const Json& member(const Json& object, const char* key) {
  if (!object.is_object() || !object.contains(key)) reject(fmt::format("has no '{}'", key));
  return object.at(key);
}

std::string text_of(const Json& object, const char* key) {
  const Json& value = member(object, key);
  if (!value.is_string()) reject(fmt::format("'{}' is no text", key));
  return value.get<std::string>();
}

std::int64_t whole(const Json& value, const char* key) {
  const bool fits =
      value.is_number_integer() &&
      (!value.is_number_unsigned() || value.get<std::uint64_t>() <= std::uint64_t{1} << 62U);
  if (!fits || value.get<std::int64_t>() < 0)
    reject(fmt::format("'{}' is no whole number from 0", key));
  return value.get<std::int64_t>();
}

std::string hash_of(const Json& object) {
  std::string hex = text_of(object, "sha256");
  if (hex.size() != kHex || hex.find_first_not_of("0123456789abcdef") != std::string::npos) {
    reject("'sha256' is not 64 hexadecimal digits");
  }
  return hex;
}

const Json& object_of(const Json& object, const char* key) {
  const Json& value = member(object, key);
  if (!value.is_object()) reject(fmt::format("'{}' is no object", key));
  return value;
}

std::optional<Dims> dims_from(const Json& model) {
  const Json& object = member(model, "dims");
  if (object.is_null()) return std::nullopt;
  Dims dims;
  for (const DimField& field : kDims)
    dims.*field.member = whole(member(object, field.name), field.name);
  return dims;
}

checkpoint::Naming naming_from(const Json& model) {
  const std::string found = text_of(model, "naming");
  for (const auto& [naming, word] : kNamings) {
    if (word == found) return naming;
  }
  reject(fmt::format("naming '{}' is unknown", found));
}

ManifestTensor tensor_from(const std::string& name, const Json& object) {
  ManifestTensor tensor;
  tensor.name = name;
  tensor.canonical = text_of(object, "canonical");
  tensor.shard = text_of(object, "shard");
  const auto dtype = from_recipe_name(text_of(object, "dtype"));
  if (!dtype) reject("'dtype' is unknown");
  tensor.dtype = *dtype;
  const Json& shape = member(object, "shape");
  if (!shape.is_array() || shape.size() > 32) reject("'shape' is no list of at most 32 numbers");
  for (const Json& extent : shape) tensor.shape.push_back(whole(extent, "shape"));
  const auto count = checked_numel(tensor.shape);
  if (!count || *count > (std::int64_t{1} << 59)) reject("'shape' has too many elements");
  tensor.offset = whole(member(object, "offset"), "offset");
  if (whole(member(object, "bytes"), "bytes") != tensor.bytes())
    reject("'bytes' does not fit its shape and dtype");
  tensor.sha256 = hash_of(object);
  return tensor;
}

Manifest manifest_from(const Json& document) {
  if (text_of(document, "format") != "koine-run") reject("'format' is not 'koine-run'");
  if (whole(member(document, "format_version"), "format_version") != kFormatVersion) {
    reject(fmt::format("'format_version' is not {}: another version of koine wrote it",
                       kFormatVersion));
  }
  if (member(document, "complete") != Json(true)) reject("'complete' is not true");
  Manifest manifest;
  manifest.recipe = member(document, "recipe").dump();
  manifest.inputs = member(document, "inputs").dump();
  manifest.arithmetic = member(document, "arithmetic").dump();
  const Json& model = object_of(document, "model");
  manifest.naming = naming_from(model);
  manifest.dims = dims_from(model);
  for (const auto& [name, object] : object_of(document, "tensors").items()) {
    try {
      manifest.tensors.push_back(tensor_from(name, object));
    } catch (const std::runtime_error& error) {
      reject(fmt::format("tensor '{}': {}", name, error.what()));
    }
  }
  for (const auto& [path, object] : object_of(document, "files").items()) {
    manifest.files.push_back({path, whole(member(object, "size"), "size"), hash_of(object)});
  }
  return manifest;
}

/// The text that the seal covers. The hash is written over the text as it would stand without the
/// last member.
std::string sealed_part(std::string_view text) {
  const std::size_t tail = kSeal.size() + kHex + kEnd.size();
  if (text.size() < tail) reject("is cut short");
  const std::size_t at = text.size() - tail;
  if (text.substr(at, kSeal.size()) != kSeal || !text.ends_with(kEnd))
    reject("does not end with its own hash");
  std::string body = std::string(text.substr(0, at)) + "\n}\n";
  if (sha256_of(body) != text.substr(at + kSeal.size(), kHex))
    reject("does not have the hash that it ends with");
  return body;
}

}  // namespace

void put_manifest(const Manifest& manifest, const ModelTexts& models,
                  const std::function<void(std::string_view)>& put) {
  Sha256 hash;
  const auto put_hashed = [&](const std::string& piece) {
    hash.update(std::as_bytes(std::span(piece)));
    put(piece);
  };
  try {
    put_hashed("{\n  \"format\": \"koine-run\"");
    put_hashed(member_piece("format_version", kFormatVersion));
    put_hashed(member_piece("recipe", Json::parse(manifest.recipe)));
    if (models.count == 0) put_hashed(member_piece("inputs", Json::parse(manifest.inputs)));
    for (std::size_t i = 0; i < models.count; ++i) {
      put_hashed((i == 0 ? ",\n  \"inputs\": [\n    " : ",\n    ") +
                 to_piece(Json::parse(models.text(i)), 2));
    }
    if (models.count > 0) put_hashed("\n  ]");
    put_hashed(member_piece("arithmetic", Json::parse(manifest.arithmetic)));
    put_hashed(member_piece("model", model_json(manifest)));
    put_hashed(member_piece("tensors", tensors_json(manifest.tensors)));
    put_hashed(member_piece("files", files_json(manifest.files)));
    put_hashed(member_piece("complete", true));
    hash.update(std::as_bytes(std::span(std::string_view("\n}\n"))));
    put(std::string(kSeal) + hash.hex() + std::string(kEnd));
  } catch (const nlohmann::json::exception& error) {
    throw InputError(
        fmt::format("manifest.json cannot be written: {}; are all names UTF-8?", error.what()));
  }
}

Manifest manifest_from_text(std::string_view text, const std::string& where) {
  try {
    return manifest_from(parse_strict_json(sealed_part(text), where));
  } catch (const InputError& error) {
    throw VerifyError(error.what());
  } catch (const std::exception& error) {
    throw VerifyError(fmt::format("{}: {}; run the same `koine merge` again", where, error.what()));
  }
}

}  // namespace koine::store
