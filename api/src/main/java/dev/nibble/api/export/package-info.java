/** Models and adapters written for other tools. */
@NullMarked
package dev.nibble.api.export;

import org.jspecify.annotations.NullMarked;
