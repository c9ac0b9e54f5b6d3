using System.Globalization;
using System.Text;

namespace EdgeCloud.Ros2.Definitions.Idl;

internal enum IdlTokenKind
{
    Identifier,
    Number,
    Text,
    Symbol,
    End,
}

/// <param name="Kind">What it is.</param>
/// <param name="Text">Identifier, number or symbol as written; the value of a literal with its escapes resolved.</param>
/// <param name="Line">Line in the definition, from 1.</param>
internal readonly record struct IdlToken(IdlTokenKind Kind, string Text, int Line);

/// <summary>Splits OMG IDL 4.2 text into tokens (7.2); comments and preprocessor lines are left out.</summary>
internal sealed class IdlLexer(string definition, IReadOnlyList<string> lines)
{
    private readonly string _text = string.Join('\n', lines);
    private int _at;
    private int _line = 1;

    /// <summary>The next token.</summary>
    public IdlToken Next()
    {
        SkipBlank();
        if (_at >= _text.Length)
            return new(IdlTokenKind.End, "end of the definition", _line);
        char c = _text[_at];
        if (c is '"' or '\'' || (c == 'L' && _at + 1 < _text.Length && _text[_at + 1] is '"' or '\''))
            return Literal();
        if (char.IsAsciiLetter(c) || c == '_')
            return Take(IdlTokenKind.Identifier, IsWord);
        if (char.IsAsciiDigit(c) || (c == '.' && _at + 1 < _text.Length && char.IsAsciiDigit(_text[_at + 1])))
            return Number();
        string symbol = _at + 1 < _text.Length && _text.Substring(_at, 2) is "::" or "<<" or ">>" ? _text.Substring(_at, 2) : c.ToString();
        _at += symbol.Length;
        return new(IdlTokenKind.Symbol, symbol, _line);
    }

    private static bool IsWord(char c) => char.IsAsciiLetterOrDigit(c) || c == '_';

    private IdlToken Take(IdlTokenKind kind, Func<char, bool> belongs)
    {
        int start = _at;
        while (_at < _text.Length && belongs(_text[_at]))
            _at++;
        return new(kind, _text[start.._at], _line);
    }

    private IdlToken Number()
    {
        int start = _at;
        bool hex = _text.AsSpan(_at).StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        while (_at < _text.Length)
        {
            char c = _text[_at];
            bool exponentSign = !hex && c is '+' or '-' && _text[_at - 1] is 'e' or 'E';
            if (!char.IsAsciiLetterOrDigit(c) && c != '.' && !exponentSign)
                break;
            _at++;
        }

        return new(IdlTokenKind.Number, _text[start.._at], _line);
    }

    private void SkipBlank()
    {
        bool lineStart = _at == 0;
        while (_at < _text.Length)
        {
            char c = _text[_at];
            if (c == '\n')
            {
                _line++;
                lineStart = true;
                _at++;
            }
            else if (char.IsWhiteSpace(c))
            {
                _at++;
            }
            else if ((c == '#' && lineStart) || _text.AsSpan(_at).StartsWith("//", StringComparison.Ordinal))
            {
                while (_at < _text.Length && _text[_at] != '\n')
                    _at++;
            }
            else if (_text.AsSpan(_at).StartsWith("/*", StringComparison.Ordinal))
            {
                SkipBlockComment();
            }
            else
            {
                return;
            }
        }
    }

    private void SkipBlockComment()
    {
        int start = _line;
        int end = _text.IndexOf("*/", _at + 2, StringComparison.Ordinal);
        if (end < 0)
            throw new DefinitionException(definition, start, "the comment that starts here does not end");
        _line += _text.AsSpan(_at, end - _at).Count('\n');
        _at = end + 2;
    }

    private IdlToken Literal()
    {
        int line = _line;
        if (_text[_at] == 'L')
            _at++;
        char quote = _text[_at++];
        var value = new StringBuilder();
        while (_at < _text.Length && _text[_at] != quote)
        {
            if (_text[_at] == '\n')
                _line++;
            if (_text[_at] == '\\' && _at + 1 < _text.Length)
                Escape(value);
            else
                value.Append(_text[_at++]);
        }

        if (_at >= _text.Length)
            throw new DefinitionException(definition, line, "the text that starts here does not end");
        _at++;
        return new(IdlTokenKind.Text, value.ToString(), line);
    }

    /// <summary>One escape sequence (IDL 4.2, table 7-9).</summary>
    private void Escape(StringBuilder value)
    {
        char c = _text[_at + 1];
        _at += 2;
        int simple = "ntvbrfa".IndexOf(c);
        if (simple >= 0)
        {
            value.Append("\n\t\v\b\r\f\a"[simple]);
            return;
        }

        (int radix, int digitsMax) = c switch { 'x' => (16, 2), 'u' => (16, 4), >= '0' and <= '7' => (8, 3), _ => (0, 0) };
        if (radix == 0)
        {
            value.Append(c);
            return;
        }

        int start = radix == 8 ? _at - 1 : _at;
        int end = start;
        while (end < _text.Length && end - start < digitsMax && (radix == 16 ? char.IsAsciiHexDigit(_text[end]) : _text[end] is >= '0' and <= '7'))
            end++;
        if (end == start)
            throw new DefinitionException(definition, _line, $"the escape '\\{c}' has no digits");
        int code = radix == 16
            ? int.Parse(_text.AsSpan(start, end - start), NumberStyles.HexNumber, CultureInfo.InvariantCulture)
            : Convert.ToInt32(_text[start..end], 8);
        value.Append((char)code);
        _at = end;
    }
}
