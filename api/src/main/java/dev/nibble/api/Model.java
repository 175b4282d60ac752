package dev.nibble.api;

import dev.nibble.api.Answer.Ending;
import dev.nibble.api.event.Event;
import dev.nibble.api.event.Event.Activity;
import dev.nibble.api.event.Event.KernelsOpened;
import dev.nibble.api.event.Event.Working;
import dev.nibble.api.wiring.AnswerEvaluation;
import dev.nibble.api.wiring.FirstSamples;
import dev.nibble.api.wiring.RunAssembly;
import dev.nibble.api.wiring.Wiring;
import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.data.chat.ChatTemplate;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.RecipeException;
import dev.nibble.trainer.evaluation.Accuracy;
import dev.nibble.trainer.generate.Continuation;
import dev.nibble.trainer.generate.Generator;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Decoder;
import dev.nibble.trainer.objective.LossSum;
import dev.nibble.trainer.objective.Objective;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * A loaded model with its tokenizer, on kernels of its own. It is loaded once for any number of
 * calls. Calls by several threads take turns.
 */
public final class Model implements AutoCloseable {
  private final Recipe recipe;
  private final Wiring wiring;
  private final Consumer<Event> listener;
  private final Tokenizer tokenizer;
  private final Kernels kernels;
  private final Scope memory;
  private final CausalLm lm;
  private final Set<ConversationCache> caches = new HashSet<>();

  private Model(
      Recipe recipe,
      Wiring wiring,
      Consumer<Event> listener,
      Tokenizer tokenizer,
      Kernels kernels,
      Scope memory,
      CausalLm lm) {
    this.recipe = recipe;
    this.wiring = wiring;
    this.listener = listener;
    this.tokenizer = tokenizer;
    this.kernels = kernels;
    this.memory = memory;
    this.lm = lm;
  }

  static Model open(ModelSource source, int passTokens, Consumer<Event> listener) {
    Wiring wiring = new Wiring(source.recipe());
    int maxTokens = Math.min(passTokens, wiring.batches().maxTokens());
    Tokenizer tokenizer = wiring.tokenizer();
    try {
      wiring.adapterWarnings(source.run()).forEach(listener);
      KernelSet set = wiring.machine().kernelSet();
      Kernels kernels = set.open(wiring.machine().options());
      try {
        Scope memory = Scope.open("model", kernels.memory());
        try {
          listener.accept(KernelsOpened.of(wiring.machine().kernels(), set));
          listener.accept(new Working(Activity.LOADING_MODEL));
          CausalLm lm = wiring.modelToUse(source.run(), maxTokens, kernels, memory, listener);
          return new Model(source.recipe(), wiring, listener, tokenizer, kernels, memory, lm);
        } catch (Throwable e) {
          memory.close();
          throw e;
        }
      } catch (Throwable e) {
        kernels.close();
        throw e;
      }
    } catch (Throwable e) {
      tokenizer.close();
      throw e;
    }
  }

  /**
   * Continues a prompt, up to the end of the answer or of {@code sampling}'s tokens.
   *
   * @return the continuation, without special tokens
   */
  public String generate(Prompt prompt, Sampling sampling) {
    return generate(prompt, sampling, part -> {});
  }

  /**
   * The same, passing each part of the text on as soon as it is there.
   *
   * @param parts hears of them; together they are the text that is returned
   */
  public String generate(Prompt prompt, Sampling sampling, Consumer<String> parts) {
    int[] tokens = new Prompts(recipe, wiring.formats(), tokenizer).tokens(prompt);
    if (tokens.length == 0) {
      throw new RecipeException("the prompt is empty, and this tokenizer begins it with no token");
    }
    Set<Integer> stopTokens = wiring.formats().stopTokens(tokenizer);
    synchronized (this) {
      try (Decoder decoder = lm.decoder(1, tokens.length + sampling.maxNewTokens())) {
        return generate(decoder, tokens, sampling, stopTokens, parts, () -> false).text();
      }
    }
  }

  private Answer generate(
      Decoder decoder,
      int[] prompt,
      Sampling sampling,
      Set<Integer> stopTokens,
      Consumer<String> parts,
      BooleanSupplier stop) {
    StringBuilder all = new StringBuilder();
    Consumer<String> out =
        part -> {
          if (!part.isEmpty()) {
            all.append(part);
            parts.accept(part);
          }
        };
    StreamingDecoder text = new StreamingDecoder(tokenizer);
    Continuation continuation =
        new Generator(decoder, sampling.sampler(), sampling.seed(), stopTokens)
            .generate(
                prompt,
                sampling.maxNewTokens(),
                (_, token) -> {
                  out.accept(text.add(token));
                  return !stop.getAsBoolean();
                });
    out.accept(text.rest());
    int tokens = continuation.tokens().length;
    return new Answer(
        all.toString(), ending(continuation, sampling.maxNewTokens()), prompt.length, tokens);
  }

  private static Ending ending(Continuation continuation, int most) {
    if (continuation.stopped()) {
      return Ending.COMPLETE;
    }
    return continuation.tokens().length < most ? Ending.STOPPED : Ending.MAX_TOKENS;
  }

  /**
   * The answer to a conversation that {@code template} wrote, up to where the template ends it.
   *
   * @param stop is asked after each token; true ends the answer there
   * @param cache of the conversation so far
   */
  synchronized Answer answer(
      String conversation,
      ChatTemplate template,
      Sampling sampling,
      Consumer<String> parts,
      BooleanSupplier stop,
      ConversationCache cache) {
    int[] prompt = tokenizer.ids(conversation, false);
    int left = lm.maxPositions() - prompt.length;
    if (left < 1) {
      throw new ConversationTooLong(prompt.length, lm.maxPositions());
    }
    Sampling fitting = sampling.upTo(Math.min(left, sampling.maxNewTokens()));
    caches.add(cache);
    Answer answer =
        generate(
            cache.decoder(lm, prompt.length + fitting.maxNewTokens()),
            prompt,
            fitting,
            wiring.formats().stopTokens(template, tokenizer),
            parts,
            stop);
    return answer.ending() == Ending.MAX_TOKENS && left < sampling.maxNewTokens()
        ? answer.ending(Ending.CONTEXT)
        : answer;
  }

  /**
   * Checks that the model without its adapter is what the adapter was trained on.
   *
   * @throws NoBaseModel when it is not, or there is no adapter
   */
  void requireBase() {
    Optional<String> lost =
        recipe.model().adapterSource().isEmpty()
            ? Optional.of("this model has no adapter")
            : lm.baseIsLost();
    lost.ifPresent(reason -> {
      throw new NoBaseModel(reason);
    });
  }

  /**
   * A conversation in the model's chat template, or in the one that the recipe names, with the most
   * likely tokens and without a system prompt.
   *
   * @throws dev.nibble.data.chat.InvalidChatTemplate when there is none
   */
  public Chat chat() {
    return chat(Optional.empty(), Sampling.greedy());
  }

  /** The same with a system prompt and other sampling. */
  public Chat chat(Optional<String> system, Sampling sampling) {
    return new Chat(this, wiring.formats().chatTemplate(), system, sampling);
  }

  /** The mean loss over the recipe's validation data; empty when it has none. */
  public synchronized Optional<LossSum> validationLoss() {
    if (recipe.data().validation().isEmpty() && recipe.data().validationSize() == 0) {
      return Optional.empty();
    }
    try (Scope scope = Scope.open("loss", kernels.memory())) {
      Objective objective = wiring.objective(kernels, scope);
      return wiring
          .data(tokenizer, listener)
          .validation()
          .map(held -> RunAssembly.validation(lm, objective, held, wiring, listener).measure());
    }
  }

  /** The accuracy of answers to the recipe's test questions; empty when it has none. */
  public synchronized Optional<Accuracy> answerAccuracy() {
    return recipe
        .evaluation()
        .answers()
        .map(eval -> {
          AnswerEvaluation test = new AnswerEvaluation(recipe, eval, wiring.formats(), tokenizer);
          return test.measure(lm, listener);
        });
  }

  /**
   * Writes logits of the first samples of the recipe's data (some 512 tokens) to a safetensors
   * file, for comparison with other tools.
   */
  public synchronized void saveLogits(Path file) {
    try {
      LogitsFile.write(file, lm, FirstSamples.of(wiring, tokenizer, lm.vocabSize()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Frees what a conversation has cached. */
  synchronized void close(ConversationCache cache) {
    caches.remove(cache);
    cache.close();
  }

  /** Frees the memory, that of chats too, and ends the threads. */
  @Override
  public synchronized void close() {
    caches.forEach(ConversationCache::close);
    memory.close();
    kernels.close();
    tokenizer.close();
  }
}
