// Copyright (c) 2026, the Breakwater authors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// The part of WQL that scripts use: SELECT a, b FROM class WHERE condition, and the condition alone (-Filter).

using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Breakwater.Lab
{
    public sealed class WqlException : Exception { public WqlException(string message) : base(message) { } }

    /// <summary>A parsed query. A query that WMI would call invalid throws <see cref="WqlException"/>.</summary>
    public sealed class Wql
    {
        private static readonly Regex Words = new(
            @"\s*(?:(?<text>'(?:\\.|[^'\\])*'|""(?:\\.|[^""\\])*"")|(?<number>-?\d+)|(?<sign><=|>=|<>|!=|=|<|>|\(|\)|,|\*)|(?<word>[A-Za-z_][A-Za-z0-9_.]*))",
            RegexOptions.CultureInvariant);

        private readonly List<(string Kind, string Text)> tokens = new();
        private int at;
        private Func<IDictionary, bool> condition = _ => true;

        public string ClassName { get; private set; }
        public List<string> Properties { get; } = new();

        public static Wql Query(string text)
        {
            var query = new Wql(text);
            query.Expect("SELECT");
            if (!query.Take("*"))
            {
                do { query.Properties.Add(query.Word()); } while (query.Take(","));
            }
            query.Expect("FROM");
            query.ClassName = query.Word();
            if (query.Take("WHERE")) { query.condition = query.Or(); }
            query.End();
            return query;
        }

        public static Wql Filter(string text)
        {
            var query = new Wql(text ?? "");
            if (query.tokens.Count > 0) { query.condition = query.Or(); }
            query.End();
            return query;
        }

        public bool Matches(IDictionary instance) => condition(instance);

        private Wql(string text)
        {
            int position = 0;
            text = text.Trim();
            while (position < text.Length)
            {
                Match match = Words.Match(text, position);
                if (!match.Success || match.Index != position) { throw new WqlException("Invalid query"); }
                foreach (string kind in new[] { "text", "number", "sign", "word" })
                {
                    if (match.Groups[kind].Success) { tokens.Add((kind, match.Groups[kind].Value)); }
                }
                position = match.Index + match.Length;
            }
        }

        private bool Take(string what)
        {
            if (at >= tokens.Count || tokens[at].Kind == "text" || !tokens[at].Text.Equals(what, StringComparison.OrdinalIgnoreCase)) { return false; }
            at++;
            return true;
        }

        private void Expect(string what) { if (!Take(what)) { throw new WqlException("Invalid query"); } }
        private void End() { if (at != tokens.Count) { throw new WqlException("Invalid query"); } }

        private string Word()
        {
            if (at >= tokens.Count || tokens[at].Kind != "word") { throw new WqlException("Invalid query"); }
            return tokens[at++].Text;
        }

        private Func<IDictionary, bool> Or()
        {
            var left = And();
            while (Take("OR")) { var before = left; var right = And(); left = x => before(x) || right(x); }
            return left;
        }

        private Func<IDictionary, bool> And()
        {
            var left = Not();
            while (Take("AND")) { var before = left; var right = Not(); left = x => before(x) && right(x); }
            return left;
        }

        private Func<IDictionary, bool> Not()
        {
            if (Take("NOT")) { var inner = Not(); return x => !inner(x); }
            if (Take("("))
            {
                var inner = Or();
                Expect(")");
                return inner;
            }
            return Comparison();
        }

        private Func<IDictionary, bool> Comparison()
        {
            bool swapped = at < tokens.Count && tokens[at].Kind != "word";
            object first = swapped ? Literal() : null;
            string property = swapped ? null : Word();
            if (Take("IS"))
            {
                bool not = Take("NOT");
                Expect("NULL");
                return x => (Value(x, property) == null) != not;
            }
            if (Take("LIKE"))
            {
                Regex pattern = Like(Convert.ToString(Literal(), CultureInfo.InvariantCulture));
                return x => Value(x, property) is { } value && pattern.IsMatch(Convert.ToString(value, CultureInfo.InvariantCulture));
            }
            string sign = at < tokens.Count && tokens[at].Kind == "sign" ? tokens[at++].Text : throw new WqlException("Invalid query");
            if (swapped)
            {
                property = Word();
                sign = sign switch { "<" => ">", ">" => "<", "<=" => ">=", ">=" => "<=", _ => sign };
            }
            object literal = swapped ? first : Literal();
            return x => Compare(Value(x, property), sign, literal);
        }

        private object Literal()
        {
            if (at >= tokens.Count) { throw new WqlException("Invalid query"); }
            var (kind, text) = tokens[at++];
            switch (kind)
            {
                case "number": return long.Parse(text, CultureInfo.InvariantCulture);
                case "text": return Regex.Replace(text.Substring(1, text.Length - 2), @"\\(.)", "$1");
                case "word" when text.Equals("TRUE", StringComparison.OrdinalIgnoreCase): return true;
                case "word" when text.Equals("FALSE", StringComparison.OrdinalIgnoreCase): return false;
                case "word" when text.Equals("NULL", StringComparison.OrdinalIgnoreCase): return null;
                default: throw new WqlException("Invalid query");
            }
        }

        private static object Value(IDictionary instance, string property)
        {
            if (!instance.Contains(property)) { throw new WqlException("Invalid query"); }
            return instance[property];
        }

        private static bool Compare(object value, string sign, object literal)
        {
            if (value == null || literal == null) { return sign is "<>" or "!=" ? !Equals(value, literal) : sign == "=" && Equals(value, literal); }
            int order;
            if (value is bool flag)
            {
                bool wanted = literal is bool given ? given : literal is long number ? number != 0 : "true".Equals((string)literal, StringComparison.OrdinalIgnoreCase);
                order = flag.CompareTo(wanted);
            }
            else if (value is string text) { order = string.Compare(text, Convert.ToString(literal, CultureInfo.InvariantCulture), StringComparison.OrdinalIgnoreCase); }
            else if (literal is string digits && !decimal.TryParse(digits, out _)) { throw new WqlException("Invalid query"); }
            else { order = Convert.ToDecimal(value, CultureInfo.InvariantCulture).CompareTo(Convert.ToDecimal(literal, CultureInfo.InvariantCulture)); }
            return sign switch { "=" => order == 0, "<>" or "!=" => order != 0, "<" => order < 0, ">" => order > 0, "<=" => order <= 0, _ => order >= 0 };
        }

        private static Regex Like(string pattern)
        {
            var regex = new StringBuilder("^");
            for (int i = 0; i < pattern.Length; i++)
            {
                int close = pattern[i] == '[' ? pattern.IndexOf(']', i + 1) : -1;
                if (close > 0) { regex.Append('[').Append(pattern, i + 1, close - i - 1).Append(']'); i = close; }
                else { regex.Append(pattern[i] switch { '%' => ".*", '_' => ".", var other => Regex.Escape(other.ToString()) }); }
            }
            return new Regex(regex.Append('$').ToString(), RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.Singleline);
        }
    }
}
