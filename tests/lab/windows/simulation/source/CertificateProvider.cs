// Copyright (c) 2026, the Breakwater authors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// The certificate drive Cert:, read only: \LocalMachine\My\THUMBPRINT and the other stores that the host's data names.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Provider;

namespace Breakwater.Lab
{
    /// <summary>The members of X509Certificate2 that scripts read; keys are not simulated.</summary>
    public sealed class Certificate
    {
        public sealed class Oid { public string FriendlyName { get; init; } public string Value { get; init; } }
        public sealed class Key { public int KeySize { get; init; } }
        public sealed class Encoded { public byte[] RawData { get; init; } }
        public sealed class PublicKeyInfo { public Key Key { get; init; } public Oid Oid { get; init; } public Encoded EncodedKeyValue { get; init; } }
        public sealed class DnsName { public string Punycode { get; init; } public string Unicode { get; init; } public override string ToString() => Punycode; }
        public sealed class Usage { public string FriendlyName { get; init; } public string ObjectId { get; init; } }

        public string Thumbprint { get; init; }
        public string Subject { get; init; }
        public string Issuer { get; init; }
        public string FriendlyName { get; init; }
        public DateTime NotBefore { get; init; }
        public DateTime NotAfter { get; init; }
        public bool HasPrivateKey { get; init; }
        public PublicKeyInfo PublicKey { get; init; }
        public Oid SignatureAlgorithm { get; init; }
        public DnsName[] DnsNameList { get; init; }
        public Usage[] EnhancedKeyUsageList { get; init; }
        public string GetKeyAlgorithm() => PublicKey.Oid.Value;

        private static readonly Dictionary<string, string> Algorithms = new()
        {
            ["sha1RSA"] = "1.2.840.113549.1.1.5",
            ["sha256RSA"] = "1.2.840.113549.1.1.11",
            ["sha384RSA"] = "1.2.840.113549.1.1.12",
            ["sha256ECDSA"] = "1.2.840.10045.4.3.2",
            ["sha384ECDSA"] = "1.2.840.10045.4.3.3",
        };

        internal static Certificate From(IDictionary data)
        {
            var names = new List<DnsName>();
            foreach (string name in (IList)data["names"]) { names.Add(new DnsName { Punycode = name, Unicode = name }); }
            bool rsa = (string)data["key_algorithm"] == "RSA";
            int bits = (int)data["key_size"];
            string signature = (string)data["signature_algorithm"];
            // An RSA key is two integers in a sequence, one of a curve a byte and two coordinates.
            int length = rsa ? bits / 8 + 14 : 1 + 2 * ((bits + 7) / 8);
            return new Certificate
            {
                Thumbprint = (string)data["thumbprint"],
                Subject = (string)data["subject"],
                Issuer = (string)data["issuer"],
                FriendlyName = "",
                NotBefore = Date(data["not_before"]),
                NotAfter = Date(data["not_after"]),
                HasPrivateKey = true,
                PublicKey = new PublicKeyInfo
                {
                    // .NET Framework's PublicKey.Key knows RSA and DSA only: for an ECC certificate it throws there.
                    Key = rsa ? new Key { KeySize = bits } : null,
                    Oid = rsa ? new Oid { FriendlyName = "RSA", Value = "1.2.840.113549.1.1.1" } : new Oid { FriendlyName = "ECC", Value = "1.2.840.10045.2.1" },
                    EncodedKeyValue = new Encoded { RawData = new byte[length] },
                },
                SignatureAlgorithm = new Oid { FriendlyName = signature, Value = Algorithms[signature] },
                DnsNameList = names.ToArray(),
                EnhancedKeyUsageList = new[] { new Usage { FriendlyName = "Server Authentication", ObjectId = "1.3.6.1.5.5.7.3.1" } },
            };
        }

        private static DateTime Date(object text) =>
            DateTime.Parse((string)text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal).ToLocalTime();
    }

    public sealed class CertificateStore { public string Name { get; init; } public override string ToString() => Name; }

    [CmdletProvider("Certificate", ProviderCapabilities.ShouldProcess)]
    public sealed class CertificateProvider : NavigationCmdletProvider
    {
        public override char ItemSeparator => '\\';
        public override char AltItemSeparator => '\\';

        protected override System.Collections.ObjectModel.Collection<PSDriveInfo> InitializeDefaultDrives() =>
            new() { new PSDriveInfo("Cert", ProviderInfo, "", "X509 Certificate Provider", null) };

        protected override bool IsValidPath(string path) => true;

        /// <summary>The children of a path by name, or null where there is no such path.</summary>
        private static SortedDictionary<string, object> Children(string path)
        {
            var found = new SortedDictionary<string, object>(StringComparer.OrdinalIgnoreCase);
            string[] parts = Registry.Clean(path).Split('\\', StringSplitOptions.RemoveEmptyEntries);
            if (parts.Length == 0)
            {
                found["CurrentUser"] = new CertificateStore { Name = "CurrentUser" };
                found["LocalMachine"] = new CertificateStore { Name = "LocalMachine" };
                return found;
            }
            if (!parts[0].Equals("LocalMachine", StringComparison.OrdinalIgnoreCase)) { return parts.Length == 1 ? found : null; }
            foreach (IDictionary data in State.Data["certificates"] as IList ?? Array.Empty<object>())
            {
                string store = (string)data["store"];
                if (parts.Length == 1) { found[store] = new CertificateStore { Name = store }; }
                else if (store.Equals(parts[1], StringComparison.OrdinalIgnoreCase)) { found[(string)data["thumbprint"]] = Certificate.From(data); }
            }
            if (parts.Length == 1) { found.TryAdd("My", new CertificateStore { Name = "My" }); return found; }
            if (parts.Length > 2) { return null; }
            return found.Count > 0 || parts[1].Equals("My", StringComparison.OrdinalIgnoreCase) ? found : null;
        }

        private object Item(string path)
        {
            path = Registry.Clean(path);
            if (path.Length == 0) { return new CertificateStore { Name = "" }; }
            int cut = path.LastIndexOf('\\');
            var siblings = Children(cut < 0 ? "" : path.Substring(0, cut));
            return siblings != null && siblings.TryGetValue(path.Substring(cut + 1), out object item) ? item : null;
        }

        protected override bool ItemExists(string path) => Item(path) != null;
        protected override bool IsItemContainer(string path) => Item(path) is CertificateStore;
        protected override bool HasChildItems(string path) => Children(path)?.Count > 0;

        protected override void GetItem(string path)
        {
            object item = Item(path);
            if (item != null) { WriteItemObject(Shown(item), path, item is CertificateStore); }
        }

        private static object Shown(object item)
        {
            var shown = new PSObject(item);
            if (item is Certificate certificate)
            {
                shown.TypeNames.Insert(0, "System.Security.Cryptography.X509Certificates.X509Certificate2");
                // PowerShell's type table would compute these of a real certificate.
                shown.Properties.Add(new PSNoteProperty("DnsNameList", certificate.DnsNameList), true);
                shown.Properties.Add(new PSNoteProperty("EnhancedKeyUsageList", certificate.EnhancedKeyUsageList), true);
            }
            return shown;
        }

        protected override void GetChildItems(string path, bool recurse)
        {
            foreach (var child in Children(path) ?? new SortedDictionary<string, object>())
            {
                string below = MakePath(path, child.Key);
                WriteItemObject(Shown(child.Value), below, child.Value is CertificateStore);
                if (recurse && child.Value is CertificateStore) { GetChildItems(below, true); }
            }
        }

        protected override void GetChildNames(string path, ReturnContainers returnContainers)
        {
            foreach (string name in (Children(path) ?? new SortedDictionary<string, object>()).Keys) { WriteItemObject(name, path, false); }
        }

        protected override string MakePath(string parent, string child) =>
            string.IsNullOrEmpty(parent) ? child ?? "" : string.IsNullOrEmpty(child) ? parent : parent.TrimEnd('\\', '/') + "\\" + child.TrimStart('\\', '/');

        protected override string GetChildName(string path)
        {
            path = Registry.Clean(path);
            return path.Substring(path.LastIndexOf('\\') + 1);
        }

        protected override string GetParentPath(string path, string root)
        {
            path = Registry.Clean(path);
            int cut = path.LastIndexOf('\\');
            return cut < 0 ? "" : path.Substring(0, cut);
        }

        protected override string NormalizeRelativePath(string path, string basePath)
        {
            path = Registry.Clean(path);
            string start = Registry.Clean(basePath);
            return start.Length > 0 && path.StartsWith(start + "\\", StringComparison.OrdinalIgnoreCase) ? path.Substring(start.Length + 1) : path;
        }
    }
}
