/** Programs that use Nibble as a library. */
@NullMarked
package dev.nibble.examples.library;

import org.jspecify.annotations.NullMarked;
