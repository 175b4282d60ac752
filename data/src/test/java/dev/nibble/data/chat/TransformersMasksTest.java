package dev.nibble.data.chat;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.data.Golden;
import dev.nibble.data.Sample;
import dev.nibble.data.format.Chat;
import dev.nibble.data.rows.Row;
import dev.nibble.data.samples.ExcessLength;
import dev.nibble.data.samples.SampleMaker;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.data.tokenizer.Tokenizers;
import dev.nibble.jinja.Template;
import dev.nibble.jinja.Value;
import dev.nibble.jinja.Values;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

/**
 * Token ids and masks equal those of {@code apply_chat_template(...,
 * return_assistant_tokens_mask=True)}; .ci/interop/chat_masks.py wrote them.
 */
@Tag("golden")
class TransformersMasksTest {
  private static final List<?> CASES = cases();

  @ParameterizedTest
  @ValueSource(strings = {"llama2_like", "llama3_like", "qwen_like"})
  void idsAndMasksAreThoseOfTransformers(String name) throws IOException {
    int learned = 0;
    try (Tokenizer tokenizer = Tokenizers.open(Golden.path("tokenizers", name))) {
      for (Object item : CASES) {
        Map<?, ?> c = (Map<?, ?>) item;
        if (name.equals(c.get("tokenizer"))) {
          Sample sample = sample(tokenizer, c);
          String what = c.get("template") + " " + c.get("conversation");
          assertThat(IntStream.of(sample.tokens()).boxed().toList())
              .as(what)
              .isEqualTo(c.get("ids"));
          List<Integer> mask = new ArrayList<>();
          for (boolean b : sample.supervised()) {
            mask.add(b ? 1 : 0);
          }
          assertThat(mask).as(what).isEqualTo(c.get("mask"));
          learned += sample.supervisedTokens() > 0 ? 1 : 0;
        }
      }
    }
    assertThat(learned).isGreaterThan(15);
  }

  private static Sample sample(Tokenizer tokenizer, Map<?, ?> c) throws IOException {
    String file = String.valueOf(c.get("template"));
    Map<String, Value> variables = new HashMap<>();
    ((Map<?, ?>) Objects.requireNonNull(c.get("names")))
        .forEach((k, v) -> variables.put(String.valueOf(k), Values.of(v)));
    ChatTemplate template =
        new ChatTemplate(
            file,
            Template.parse(file, Files.readString(Golden.path("templates", file))),
            Optional.empty(),
            variables,
            LocalDateTime.of(2026, 1, 2, 3, 4, 5));
    Chat chat = new Chat(new MessageRows(MessageFields.MESSAGES), template, Supervision.STANDARD);
    Map<String, Object> row = new HashMap<>();
    row.put("messages", Objects.requireNonNull(c.get("conversation")));
    if (c.get("tools") != null) {
      row.put("tools", Objects.requireNonNull(c.get("tools")));
    }
    return new SampleMaker(tokenizer, chat, 4096, ExcessLength.RAISE, false)
        .sample(chat.example(new Row(new HashMap<>(row), "masks.json", 1)));
  }

  private static List<?> cases() {
    try (InputStream in = TransformersMasksTest.class.getResourceAsStream("/chat/masks.json")) {
      return new JsonMapper().readValue(Objects.requireNonNull(in), List.class);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
