package dev.nibble.trainer.checkpoint;

import dev.nibble.compute.files.AtomicFile;
import dev.nibble.compute.files.JsonError;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * {@code trainer_state.json}: the counts of a run. Written last, so a folder that has it is
 * complete.
 */
final class TrainerStateFile {
  static final String NAME = "trainer_state.json";

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .build();

  private TrainerStateFile() {}

  static void write(Path folder, TrainerState state) throws IOException {
    AtomicFile.write(folder.resolve(NAME), JSON.writeValueAsString(state) + "\n");
  }

  static TrainerState read(Path folder) throws IOException {
    Path path = folder.resolve(NAME);
    if (!Files.isRegularFile(path)) {
      throw new CheckpointException(
          "%s is no checkpoint: it has no %s. Give a checkpoint-N folder of a run"
              .formatted(folder, NAME));
    }
    String text;
    try {
      text = Files.readString(path);
    } catch (CharacterCodingException e) {
      throw new CheckpointException(
          path + " is damaged: it is not UTF-8 text. Resume from an earlier checkpoint", e);
    }
    try {
      return JSON.readValue(text, TrainerState.class);
    } catch (JacksonException e) {
      throw new CheckpointException(
          "%s is damaged: %s. Resume from an earlier checkpoint"
              .formatted(path, JsonError.of(e, text)),
          e);
    }
  }
}
