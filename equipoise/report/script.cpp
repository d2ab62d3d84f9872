#include "equipoise/report/assets.h"

namespace equipoise::report {

// The page is complete without it. Texts go in as text nodes, never as markup. Pointer, and arrow keys for those who use no
// pointer. Each figure can be taken away as SVG and PNG: on white, at twice its size, with its mark when it is simulated.
const std::string_view script = R"js(
(function(){"use strict";
var ns="http://www.w3.org/2000/svg";
function make(tag,attributes,parent){var e=document.createElementNS(ns,tag);for(var k in attributes)e.setAttribute(k,attributes[k]);parent.appendChild(e);return e;}
document.querySelectorAll("[data-km]").forEach(function(box){
  var d=JSON.parse(box.getAttribute("data-km")),svg=box.querySelector("svg"),layer=null,at=null;
  function last(t,x){var i=-1;while(i+1<t.length&&t[i+1]<=x)i++;return i;}
  function show(day){
    day=Math.max(0,Math.min(d.horizon,Math.round(day)));at=day;
    if(layer)layer.remove();
    layer=make("g",{"class":"hover"},svg);
    var x=d.left+day/d.horizon*(d.right-d.left);
    make("path",{d:"M"+x+" "+d.top+"V"+d.bottom,fill:"none",stroke:"#98a2b3"},layer);
    var lines=d.arms.map(function(a){
      var i=last(a.t,day),j=0;while(j<a.t.length&&a.t[j]<day)j++;
      var s=i<0?1:a.s[i],n=j<a.t.length?a.n[j]:0;
      return {slot:a.slot,text:a.name+"  "+(s===null?"NE":(100*s).toFixed(1)+"%")+"  ·  "+n+" "+d.risk};
    });
    var frame=make("rect",{rx:7,y:d.top+6,height:30+lines.length*19},layer);
    var texts=[make("text",{y:d.top+26,"font-size":13,"font-weight":600,"class":"ink",fill:"#1c2430"},layer)];
    texts[0].textContent=d.day.replace("{d}",day);
    lines.forEach(function(l,i){var t=make("text",{y:d.top+45+19*i,"font-size":13,"class":"ink",fill:"#1c2430"},layer);t.textContent=l.text;texts.push(t);
      });
    var width=Math.max.apply(null,texts.map(function(t){return t.getComputedTextLength();}))+24;
    var left=x+12+width>d.right?Math.max(0,x-12-width):x+12;
    frame.setAttribute("x",left);frame.setAttribute("width",width);
    texts.forEach(function(t){t.setAttribute("x",left+12);});
  }
  function hide(){if(layer)layer.remove();layer=null;at=null;}
  box.addEventListener("pointermove",function(e){
    var m=svg.getScreenCTM();if(!m)return;
    var p=new DOMPoint(e.clientX,e.clientY).matrixTransform(m.inverse());
    if(p.x<d.left-6||p.x>d.right+6||p.y<d.top-6||p.y>d.bottom+6)hide();else show((p.x-d.left)/(d.right-d.left)*d.horizon);
  });
  box.addEventListener("pointerleave",hide);
  box.addEventListener("blur",hide);
  box.addEventListener("keydown",function(e){
    if(e.key==="Escape")hide();
    if(e.key!=="ArrowLeft"&&e.key!=="ArrowRight")return;
    e.preventDefault();var step=(e.shiftKey?10:1)*(e.key==="ArrowLeft"?-1:1);show(at===null?0:at+step);
  });
});
var chinese=document.documentElement.lang.indexOf("zh")===0;
function save(name,blob){var a=document.createElement("a"),url=URL.createObjectURL(blob);a.href=url;a.download=name;a.click();setTimeout(function(){URL.revokeObjectURL(url);},1000);}
function alone(svg){
  var copy=svg.cloneNode(true),box=svg.viewBox.baseVal;
  copy.querySelectorAll(".hover").forEach(function(e){e.remove();});
  copy.setAttribute("xmlns",ns);copy.setAttribute("width",box.width);copy.setAttribute("height",box.height);
  copy.setAttribute("font-family","Helvetica, Arial, 'Noto Sans', 'Noto Sans CJK SC', sans-serif");
  var white=document.createElementNS(ns,"rect");
  white.setAttribute("width",box.width);white.setAttribute("height",box.height);white.setAttribute("fill","#fff");
  copy.insertBefore(white,copy.firstChild);
  return {text:new XMLSerializer().serializeToString(copy),width:box.width,height:box.height};
}
document.querySelectorAll("figure.panel").forEach(function(figure){
  var svg=figure.querySelector(".plot svg,[data-km] svg"),number=figure.querySelector(".number");
  if(!svg||!number||!svg.viewBox.baseVal)return;
  var name=number.textContent.trim().replace(/[^0-9A-Za-z.]+/g,"-").replace(/^-+|-+$/g,"").toLowerCase()||"figure";
  var bar=document.createElement("div");bar.className="take";
  ["SVG","PNG"].forEach(function(kind){
    var button=document.createElement("button");button.type="button";button.textContent=kind;
    button.setAttribute("aria-label",(chinese?"下载 "+kind+"：":"Download as "+kind+": ")+number.textContent);
    button.addEventListener("click",function(){
      var made=alone(svg);
      if(kind==="SVG")return save(name+".svg",new Blob([made.text],{type:"image/svg+xml"}));
      var image=new Image();
      image.onload=function(){
        var canvas=document.createElement("canvas");canvas.width=2*made.width;canvas.height=2*made.height;
        canvas.getContext("2d").drawImage(image,0,0,canvas.width,canvas.height);
        canvas.toBlob(function(blob){save(name+".png",blob);},"image/png");
      };
      image.setAttribute("src","data:image/svg+xml;charset=utf-8,"+encodeURIComponent(made.text));
    });
    bar.appendChild(button);
  });
  figure.querySelector("figcaption").appendChild(bar);
});
})();
)js";

}  // namespace equipoise::report
