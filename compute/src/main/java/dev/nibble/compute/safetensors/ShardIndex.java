package dev.nibble.compute.safetensors;

import dev.nibble.compute.files.FolderLinks;
import dev.nibble.compute.files.JsonError;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The index of a sharded model, {@code model.safetensors.index.json}. */
final class ShardIndex {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private ShardIndex() {}

  /** The file of each tensor, in the index's order; each is inside the folder and exists. */
  static Map<String, Path> read(Path folder, Path index) {
    JsonNode map = parse(index).path("weight_map");
    if (!map.isObject() || map.isEmpty()) {
      throw new MalformedSafetensors(
          "%s: weight_map must be an object that gives each tensor's file".formatted(index));
    }
    Map<String, Path> shards = new LinkedHashMap<>();
    Map<String, Path> known = new LinkedHashMap<>();
    map.properties()
        .forEach(e -> {
          if (!e.getValue().isString()) {
            throw new MalformedSafetensors(
                "%s: weight_map gives %s for tensor '%s', not the name of a file"
                    .formatted(index, e.getValue(), e.getKey()));
          }
          String shard = e.getValue().stringValue();
          shards.put(e.getKey(), known.computeIfAbsent(shard, s -> file(folder, index, s)));
        });
    return shards;
  }

  private static JsonNode parse(Path index) {
    String text;
    try {
      if (Files.size(index) > HeaderReader.MAX_BYTES) {
        throw new MalformedSafetensors(
            "%s has more than %d bytes".formatted(index, HeaderReader.MAX_BYTES));
      }
      text = Files.readString(index);
    } catch (CharacterCodingException e) {
      throw new MalformedSafetensors(index + " is not UTF-8 text", e);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read %s: %s".formatted(index, e.getMessage()), e);
    }
    try {
      return JSON.readTree(text);
    } catch (JacksonException e) {
      throw new MalformedSafetensors(
          "%s is not JSON: %s".formatted(index, JsonError.of(e, text)), e);
    }
  }

  /** A name may lead to a folder within, but not out; links are {@link FolderLinks}'. */
  private static Path file(Path folder, Path index, String shard) {
    Path root = folder.toAbsolutePath().normalize();
    Path file;
    try {
      file = root.resolve(shard).normalize();
    } catch (InvalidPathException e) {
      throw new MalformedSafetensors("%s names a file '%s'".formatted(index, shard), e);
    }
    if (Path.of(shard).isAbsolute() || !file.startsWith(root)) {
      throw new MalformedSafetensors(
          "%s names a file outside its folder: '%s'".formatted(index, shard));
    }
    if (!Files.isRegularFile(file)) {
      throw new MalformedSafetensors(
          "%s names '%s', which is not in the folder. Download the rest of the model"
              .formatted(index, shard));
    }
    return file;
  }
}
