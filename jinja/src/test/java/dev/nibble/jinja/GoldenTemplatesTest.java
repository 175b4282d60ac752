package dev.nibble.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.json.JsonMapper;

/** Templates of real models render as transformers renders them, with the same spans. */
@Tag("golden")
class GoldenTemplatesTest {
  private static final Path FOLDER = Golden.path("templates");
  private static final LocalDateTime NOW = LocalDateTime.of(2026, 1, 2, 3, 4, 5);
  private static final Map<?, ?> CONVERSATIONS = json("conversations.json");
  private static final Map<?, ?> RENDERED = json("rendered.json");
  private static final Map<?, ?> MASKS = json("masks.json");

  static Stream<String> templates() {
    return RENDERED.keySet().stream().map(String.class::cast);
  }

  @ParameterizedTest
  @MethodSource("templates")
  void rendersEveryConversation(String name) throws IOException {
    Template template = Template.parse(name, Files.readString(FOLDER.resolve(name)));
    Map<?, ?> expected = map(RENDERED, name);
    assertThat(expected).hasSizeGreaterThan(5);
    expected.forEach((conversation, result) -> {
      Map<String, Value> variables = variables(map(CONVERSATIONS, conversation));
      if (result instanceof Map<?, ?> error) {
        JinjaException thrown =
            catchThrowableOfType(JinjaException.class, () -> template.render(variables, NOW));
        assertThat(thrown).as("%s", conversation).isNotNull();
        assertThat(thrown.kind()).isEqualTo(JinjaException.Kind.RAISED);
        assertThat("TemplateError: " + thrown.reason()).isEqualTo(error.get("error"));
      } else {
        Rendering rendering = template.render(variables, NOW);
        assertThat(rendering.text()).as("%s", conversation).isEqualTo(result);
        List<List<Integer>> spans =
            rendering.generated().stream().map(s -> List.of(s.start(), s.end())).toList();
        assertThat(spans).as("%s", conversation).isEqualTo(map(MASKS, name).get(conversation));
      }
    });
  }

  private static Map<String, Value> variables(Map<?, ?> conversation) {
    Map<String, Value> variables = new HashMap<>();
    variables.put("bos_token", Values.of("<s>"));
    variables.put("eos_token", Values.of("</s>"));
    variables.put("tools", Value.NONE);
    variables.put("documents", Value.NONE);
    conversation.forEach((k, v) -> variables.put((String) k, Values.of(v)));
    return variables;
  }

  private static Map<?, ?> map(Map<?, ?> of, Object key) {
    return (Map<?, ?>) Objects.requireNonNull(of.get(key), "no " + key);
  }

  private static Map<?, ?> json(String file) {
    return new JsonMapper().readValue(FOLDER.resolve(file), Map.class);
  }
}
